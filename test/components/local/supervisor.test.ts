import assert from "node:assert/strict";
import { mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { layout } from "../../../components/local/layout.ts";
import { listLimits } from "../../../components/local/limits.ts";
import { isAwake, setAwake } from "../../../components/local/operations.ts";
import { findMarked } from "../../../components/local/processes.ts";
import { createSupervisor, type Supervisor } from "../../../components/local/supervisor.ts";
import { eventually } from "../../support/eventually.ts";
import { createRepository, type TestRepository } from "../../support/git-repository.ts";
import { requires } from "../../support/requires.ts";
import { createLocalWorld, SERVER, STACK, serviceInputs } from "./local-world.ts";

describe("the supervisor", () => {
  let repository: TestRepository;
  let world: Awaited<ReturnType<typeof createLocalWorld>>;
  let checkout: string;
  const supervisors: Supervisor[] = [];

  before(async () => {
    repository = await createRepository({ files: { "server.mjs": SERVER } });
  });
  after(() => repository.remove());
  beforeEach(async () => {
    world = await createLocalWorld();
    checkout = await world.checkOut({ repository: repository.path, commit: await repository.head("main") });
  });
  afterEach(async () => {
    for (const supervisor of supervisors.splice(0)) await supervisor.stop({ endServices: true });
    await world.remove();
  });

  const supervise = (clock = () => new Date(), onWarning: (message: string) => void = () => {}) => {
    const logger = { warn: (_fields: object, message: string) => onWarning(message) };
    const supervisor = createSupervisor({ dataDir: world.dataDir, logger, clock });
    supervisors.push(supervisor);
    supervisor.start();
    return supervisor;
  };
  const processes = () => findMarked("STACKLING_OWNER", (owner) => owner.startsWith(`${world.dataDir}/`));
  const answers = (address: string) =>
    fetch(`http://${address}/`).then(
      (response) => response.ok,
      () => false,
    );

  it("starts a service again when it died, under the same address", async () => {
    const { state } = await world.start(serviceInputs(checkout));
    supervise();
    const [first] = await processes();
    process.kill(first?.pid ?? 0, "SIGKILL");
    await eventually(() => answers(state.address));
    const [second] = await processes();
    assert.notEqual(second?.pid, first?.pid);
  });

  it("goes on when it cannot look at one", async () => {
    const { state } = await world.start(serviceInputs(checkout));
    const warnings: string[] = [];
    supervise(
      () => new Date(),
      (message) => warnings.push(message),
    );
    // A folder where the lock belongs fails every attempt to take it, as a removed one does for a moment.
    const { lock } = layout(world.dataDir).preview(STACK).release(state.release);
    await mkdir(lock);
    await eventually(() => warnings.length > 0);
    await rmdir(lock);
    const [first] = await processes();
    process.kill(first?.pid ?? 0, "SIGKILL");
    await eventually(() => answers(state.address));
  });

  it("starts it once when two of them look after it", async () => {
    const { state } = await world.start(serviceInputs(checkout));
    supervise();
    supervise();
    for (const { pid } of await processes()) process.kill(pid, "SIGKILL");
    await eventually(() => answers(state.address));
    assert.equal((await processes()).length, 1);
  });

  it("adopts what lives when it comes back", async () => {
    const { state } = await world.start(serviceInputs(checkout));
    const [before] = await processes();
    const first = supervise();
    await first.stop({ endServices: false });
    supervise();
    assert.equal(await answers(state.address), true);
    assert.deepEqual(await processes(), [before]);
  });

  it("ends every service when told to, and the next one restores what was awake", async () => {
    const { state } = await world.start(serviceInputs(checkout));
    await supervise().stop({ endServices: true });
    assert.deepEqual(await processes(), []);
    supervise();
    await eventually(() => answers(state.address));
  });

  it(
    "may use two cores until it serves and its share from then on, also behind a wake",
    requires("cgroups"),
    async () => {
      const held = { command: "until [ -e go ]; do sleep 0.02; done; exec node server.mjs", cpu: 0.5 };
      const goes = () => writeFile(join(checkout, "go"), "");
      const cores = async () => {
        const [group] = await listLimits(world.dataDir, STACK);
        return group && coresOf(group.name);
      };
      const starting = world.start(serviceInputs(checkout, held));
      await eventually(async () => (await cores()) === 2, { what: "the cores of a start" });
      await goes();
      await starting;
      assert.equal(await cores(), 0.5);

      await setAwake(world.dataDir, STACK, false);
      await rm(join(checkout, "go"));
      const waking = setAwake(world.dataDir, STACK, true);
      await eventually(async () => (await cores()) === 2, { what: "the cores of a wake" });
      await goes();
      await waking;
      assert.equal(await cores(), 0.5);
    },
  );

  it("leaves what sleeps asleep, and wakes it to health", async () => {
    const { state } = await world.start(serviceInputs(checkout));
    const supervisor = supervise();
    await supervisor.setAwake(STACK, false);
    assert.deepEqual(await processes(), []);
    assert.equal(await isAwake(world.dataDir, STACK), false);
    assert.deepEqual(
      (await supervisor.status(STACK)).map(({ desired, running }) => ({ desired, running })),
      [{ desired: "asleep", running: false }],
    );
    await setAwake(world.dataDir, STACK, true);
    assert.equal(await answers(state.address), true);
    assert.equal(await isAwake(world.dataDir, STACK), true);
  });

  it("stops waiting for a wake as soon as it is told to, and ends what it started when it stops", async () => {
    // Answers in its first life, and is silent for as long as the file lies there.
    const command = `test -e "${world.dataDir}/silent" && exec sleep 600; exec node server.mjs`;
    await world.start(serviceInputs(checkout, { command }));
    const supervisor = supervise();
    await supervisor.setAwake(STACK, false);
    await writeFile(join(world.dataDir, "silent"), "");
    const stopping = new AbortController();
    const waking = setAwake(world.dataDir, STACK, true, stopping.signal);
    const refused = assert.rejects(waking, { name: "AbortError" });
    await eventually(async () => (await processes()).length > 0);
    stopping.abort();
    await refused;
    await supervisor.stop({ endServices: true });
    assert.deepEqual(await processes(), []);
  });

  it("runs a cron service when its minute has come", async () => {
    const command = "exec sleep 600";
    await world.start(serviceInputs(checkout, { name: "nightly", kind: "cron", command, schedule: "0 3 * * *" }));
    let now = new Date("2026-01-01T02:59:00Z");
    supervise(() => now);
    assert.deepEqual(await processes(), []);
    now = new Date("2026-01-01T02:59:30Z");
    const later = setInterval(() => {
      now = new Date("2026-01-01T03:00:01Z");
    }, 1_500);
    try {
      await eventually(async () => (await processes()).length === 1);
    } finally {
      clearInterval(later);
    }
  });
});

/** What the kernel grants a group, in version 2 or 1 of its interface. */
async function coresOf(name: string): Promise<number> {
  const read = (path: string) => readFile(join("/sys/fs/cgroup", path), "utf8").catch(() => undefined);
  const [v2, v1] = [await read(`stackling/${name}/cpu.max`), await read(`cpu/stackling/${name}/cpu.cfs_quota_us`)];
  return Number.parseInt(v2 ?? v1 ?? "", 10) / 100_000;
}
