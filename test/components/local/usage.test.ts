import assert from "node:assert/strict";
import { mkdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { execa } from "execa";
import { OWNER_MARK } from "../../../components/local/environment.ts";
import { withFileLock } from "../../../components/local/file-lock.ts";
import { layout } from "../../../components/local/layout.ts";
import { processesByStack } from "../../../components/local/process-usage.ts";
import { setAwake } from "../../../components/local/supervisor.ts";
import { taskResource } from "../../../components/local/task.ts";
import { lookAtUsage, pruneUsage, usage } from "../../../components/local/usage.ts";
import { allocateUser, freeUser } from "../../../components/local/users.ts";
import { eventually } from "../../support/eventually.ts";
import { requires } from "../../support/requires.ts";
import { createLocalWorld, STACK, serviceInputs } from "./local-world.ts";

/** Burns CPU when asked, and tells what the kernel says it took since its own start. */
const BURNER = `import { createServer } from "node:http";
const took = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; };
createServer((request, response) => {
  const seconds = Number(new URL(request.url, "http://x").searchParams.get("seconds") ?? 0);
  for (const end = took() + seconds; took() < end; ) Math.sqrt(2);
  response.end(String(took()));
}).listen(process.env.PORT);`;

describe("what a preview takes of this machine", () => {
  let world: Awaited<ReturnType<typeof createLocalWorld>>;
  let checkout: string;
  before(async () => (world = await createLocalWorld()));
  after(() => world.remove());
  beforeEach(async () => {
    checkout = join(layout(world.dataDir).preview(STACK).folder, "tree");
    await mkdir(checkout, { recursive: true });
    await writeFile(join(checkout, "server.mjs"), BURNER);
  });
  afterEach(() => setAwake(world.dataDir, STACK, false));

  const burn = async (address: string, seconds: number) =>
    Number(await (await fetch(`http://${address}/?seconds=${seconds}`)).text());
  const cpuOf = async (resource: string) => {
    const { counters } = await usage(world.dataDir, STACK, { held: false });
    return (counters.find((one) => one.meter === "cpu" && one.resource === resource)?.hours ?? 0) * 3600;
  };
  const near = (measured: number, told: number) =>
    assert.ok(Math.abs(measured / told - 1) < 0.1, `measured ${measured} s of CPU, the process tells ${told} s`);

  it(
    "counts the CPU that its service says it took, across sleep and wake with no look between",
    requires("cgroups"),
    async () => {
      const { state } = await world.start(serviceInputs(checkout));
      const first = await burn(state.address, 0.4);
      near(await cpuOf("web"), first);
      const slept = await burn(state.address, 0.2);
      await setAwake(world.dataDir, STACK, false);
      await setAwake(world.dataDir, STACK, true);
      const woken = await burn(state.address, 0.3);
      near(await cpuOf("web"), slept + woken);
    },
  );

  it("counts no CPU and no memory while it is asleep", requires("cgroups"), async () => {
    await world.start(serviceInputs(checkout, { name: "sleeper" }));
    await setAwake(world.dataDir, STACK, false);
    await lookAtUsage(world.dataDir);
    const asleep = await usage(world.dataDir, STACK, { held: false });
    await lookAtUsage(world.dataDir);
    assert.deepEqual(await usage(world.dataDir, STACK, { held: false }), asleep);
  });

  it("counts what a migration takes on its preview's account", requires("cgroups"), async () => {
    const command = `node -e 'while (process.cpuUsage().user < 300000);'`;
    const inputs = {
      task: "migrate",
      command,
      checkout,
      directory: ".",
      environment: {},
      secrets: [],
      key: "1",
    } as const;
    await taskResource.create(world.context(), inputs, "migrate");
    const took = await cpuOf("migrate");
    assert.ok(took >= 0.3 && took < 3, `${took} s`);
  });

  it("reads the same of the process table, with its memory", async () => {
    const { state } = await world.start(serviceInputs(checkout, { name: "tabled" }));
    const told = await burn(state.address, 0.5);
    const seen = ((await processesByStack(world.dataDir)).get(STACK) ?? []).filter(
      ({ resource }) => resource === "tabled",
    );
    near(
      seen.reduce((sum, { ownSeconds }) => sum + ownSeconds, 0),
      told,
    );
    assert.ok(seen.some(({ memoryBytes }) => memoryBytes > 1024 * 1024));
  });

  it("charges nobody for what another's process says of itself", requires("root"), async () => {
    const [hostile, folder] = ["shop-pr-7", layout(world.dataDir).preview(STACK).folder];
    const user = await allocateUser(world.dataDir, hostile);
    await mkdir(layout(world.dataDir).preview(hostile).folder);
    const forged = (uid: number | undefined) =>
      execa("sleep", ["60"], {
        uid,
        cwd: "/",
        env: { [OWNER_MARK]: `${folder}/services/web-12345678` },
        reject: false,
      });
    const [its, someones] = [forged(user), forged(65_534)];
    const stacksOf = async (pid: number | undefined) => {
      const all = [...(await processesByStack(world.dataDir))];
      return all.flatMap(([stack, seen]) => (seen.some(({ source }) => source.startsWith(`${pid}:`)) ? [stack] : []));
    };
    try {
      const counted = async () => (await stacksOf(its.pid)).at(0);
      assert.equal(await eventually(counted), hostile);
      assert.deepEqual(await stacksOf(someones.pid), []);
    } finally {
      for (const one of [its, someones]) one.kill("SIGKILL");
      await Promise.all([its, someones]);
      await rm(layout(world.dataDir).preview(hostile).folder, { recursive: true });
      await freeUser(world.dataDir, hostile);
    }
  });

  it(
    "counts a process that lost its mark to whoever started it, who tells of it at its end",
    requires("root"),
    async () => {
      const stack = "shop-pr-5";
      const user = await allocateUser(world.dataDir, stack);
      const { folder } = layout(world.dataDir).preview(stack);
      await mkdir(folder);
      const start = (env: Readonly<Record<string, string>>) =>
        execa("sh", ["-c", "env -i sleep 60 & wait"], { uid: user, cwd: "/", env, detached: true, reject: false });
      const started = [start({ [OWNER_MARK]: `${folder}/services/web-12345678` }), start({})];
      try {
        const look = async () => (await processesByStack(world.dataDir)).get(stack) ?? [];
        // Until its own program runs, a child has what whoever started it has.
        await eventually(async () => {
          const seen = await look();
          const marked = await Promise.all(seen.map(({ source }) => isMarked(source)));
          return seen.length === 4 && marked.filter(Boolean).length === 1;
        });
        const resources = (await look()).map(({ resource }) => resource);
        assert.deepEqual(resources.sort(), ["unmarked", "unmarked", "web", "web"]);
      } finally {
        for (const { pid } of started) if (pid !== undefined) process.kill(-pid, "SIGKILL");
        await Promise.all(started);
        await rm(folder, { recursive: true });
        await freeUser(world.dataDir, stack);
      }
    },
  );

  it("takes nothing for gone that it could not look at", requires("cgroups"), async () => {
    const from = (file: string) => JSON.stringify(import.meta.resolve(`../../../components/local/${file}.ts`));
    const dataDir = JSON.stringify(world.dataDir);
    const program = `import { openSync } from "node:fs";
      import { groupUsage } from ${from("group-usage")};
      import { listLimits } from ${from("limits")};
      import { processesByStack } from ${from("process-usage")};
      try { for (;;) openSync("/dev/null"); } catch {}
      const looks = [groupUsage("none"), listLimits(${dataDir}), processesByStack(${dataDir})];
      const told = looks.map((look) => look.then(() => "nothing there", ({ code }) => code));
      console.log((await Promise.all(told)).join());`;
    const shell = 'ulimit -n 64; exec "$0" --input-type=module -e "$1"';
    const { stdout } = await execa("sh", ["-c", shell, process.execPath, program]);
    assert.equal(stdout, "EMFILE,EMFILE,EMFILE");
  });

  it("begins nothing anew while what it counted so far cannot be read", async () => {
    const path = layout(world.dataDir).usageOf("shop-pr-6");
    await symlink(path, path);
    await assert.rejects(usage(world.dataDir, "shop-pr-6", { held: false }), { code: "ELOOP" });
    await rm(path);
  });

  it("tells what it counted, and of its files that they could not be", async () => {
    const totals = { web: { cpuSeconds: 3600, memoryGibSeconds: 0 } };
    await writeFile(layout(world.dataDir).usageOf(STACK), JSON.stringify({ id: "x", boot: "", totals, seen: {} }));
    const { PATH } = process.env;
    process.env.PATH = "/nowhere";
    const found = await usage(world.dataDir, STACK, { held: true }).finally(() => Object.assign(process.env, { PATH }));
    assert.equal(found.counters[0]?.hours, 1);
    assert.match(String(found.failed), /counting the files in ".*shop-pr-1" by du\(1\)/);
    await rm(layout(world.dataDir).usageOf(STACK));
  });

  it("finds its files in what it holds, when asked", async () => {
    await writeFile(join(checkout, "large"), Buffer.alloc(8 * 1024 * 1024, "x"));
    const { held } = await usage(world.dataDir, STACK, { held: true });
    const [disk] = held;
    assert.equal(disk?.meter, "disk");
    assert.ok((disk?.gib ?? 0) > 8 / 1024 && (disk?.gib ?? 0) < 64 / 1024, `${disk?.gib} GiB`);
    assert.deepEqual((await usage(world.dataDir, STACK, { held: false })).held, []);
  });

  it("tells nothing of a preview that was never there", async () => {
    assert.deepEqual(await usage(world.dataDir, "shop-pr-404", { held: true }), { counters: [], held: [] });
  });

  it("looks at all others where one is held up", requires("cgroups"), async () => {
    const { usageOf } = layout(world.dataDir);
    const web = { resource: "web", ownSeconds: 1, childSeconds: 0, memoryBytes: 0, atSeconds: 1 };
    const totals = { id: "x", boot: "", totals: {}, seen: { "web@1": web } };
    for (const stack of ["shop-pr-8", "shop-pr-9"]) await writeFile(usageOf(stack), JSON.stringify(totals));
    const look = () => lookAtUsage(world.dataDir, new Set(["shop-pr-8", "shop-pr-9"]));
    await withFileLock(`${usageOf("shop-pr-8")}.lock`, () => assert.rejects(look()));
    const seenOf = async (stack: string) => Object.keys(JSON.parse(await readFile(usageOf(stack), "utf8")).seen);
    assert.deepEqual([await seenOf("shop-pr-8"), await seenOf("shop-pr-9")], [["web@1"], []]);
    for (const stack of ["shop-pr-8", "shop-pr-9"]) await rm(usageOf(stack));
  });

  it("begins anew where a machine that went down left half a file", async () => {
    await writeFile(layout(world.dataDir).usageOf(STACK), '{"id": "cut');
    await rm(join(checkout, "large"), { force: true });
    assert.deepEqual((await usage(world.dataDir, STACK, { held: false })).counters, []);
  });

  it("forgets those that are gone for a month, and none that is there", async () => {
    const { usageOf } = layout(world.dataDir);
    for (const stack of [STACK, "shop-pr-9"]) {
      await writeFile(
        usageOf(stack),
        JSON.stringify({ id: "x", boot: "", totals: { web: { cpuSeconds: 3600, memoryGibSeconds: 0 } }, seen: {} }),
      );
      await utimes(usageOf(stack), 1, 1);
    }
    await pruneUsage(world.dataDir, Date.now());
    const hoursOf = async (stack: string) => (await usage(world.dataDir, stack, { held: false })).counters[0]?.hours;
    assert.deepEqual([await hoursOf(STACK), await hoursOf("shop-pr-9")], [1, undefined]);
  });
});

async function isMarked(source: string): Promise<boolean> {
  const environment = await readFile(`/proc/${source.split(":")[0]}/environ`, "utf8");
  return environment.includes(`${OWNER_MARK}=`);
}
