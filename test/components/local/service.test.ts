import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { folderResource } from "../../../components/local/folder.ts";
import { layout } from "../../../components/local/layout.ts";
import { nodeFolder } from "../../../components/local/node-runtime.ts";
import { address } from "../../../components/local/operations.ts";
import { findMarked } from "../../../components/local/processes.ts";
import { routeResource } from "../../../components/local/route.ts";
import { serviceResource } from "../../../components/local/service.ts";
import { setAwake } from "../../../components/local/supervisor.ts";
import { eventually } from "../../support/eventually.ts";
import { createRepository, type TestRepository } from "../../support/git-repository.ts";
import { requires } from "../../support/requires.ts";
import { createLocalWorld, failureOf, SERVER, STACK, serviceInputs } from "./local-world.ts";

describe("a release of a service", () => {
  let repository: TestRepository;
  let world: Awaited<ReturnType<typeof createLocalWorld>>;
  let checkout: string;

  before(async () => {
    repository = await createRepository({ files: { "server.mjs": SERVER } });
    world = await createLocalWorld();
    checkout = await world.checkOut({ repository: repository.path, commit: await repository.head("main") });
  });
  after(async () => {
    await world.remove();
    await repository.remove();
  });

  const ask = async (address: string, path = "/") => (await fetch(`http://${address}${path}`)).text();
  const processes = () => findMarked("STACKLING_OWNER", (owner) => owner.includes(`${world.dataDir}/`));

  it("serves once it is made and leaves no process or file when it is deleted", async () => {
    const { id, state } = await world.start(serviceInputs(checkout, { healthPath: "/health" }));
    assert.equal(await ask(state.address), "hello");
    assert.deepEqual(await serviceResource.read(world.context(), id, state), state);
    await serviceResource.delete(world.context(), id, state);
    assert.deepEqual(await processes(), []);
    assert.deepEqual(await world.owned(), ["checkout", "folder", ...(process.getuid?.() === 0 ? ["user"] : [])]);
    await serviceResource.delete(world.context(), id, state);
  });

  it("is not reached, nor taken for healthy, where another preview listens on its port", requires("root"), async () => {
    const { id, state } = await world.start(serviceInputs(checkout, { startTimeoutSeconds: 2 }));
    const port = Number(state.address.split(":")[1]);
    const route = { host: "shop.localhost", service: "web", address: state.address };
    await routeResource.create(world.context(), route, "web");
    assert.equal(await address(world.dataDir, STACK, "web"), state.address);
    await setAwake(world.dataDir, STACK, false);
    const node = join(await nodeFolder(world.dataDir), "node");
    const listen = `require("node:http").createServer((_, response) => response.end("theirs")).listen(${port}, "127.0.0.1", () => console.log("listening"))`;
    const thief = execa(node, ["-e", listen], { uid: 299_999, gid: 299_999, cwd: "/", env: {}, extendEnv: false });
    try {
      await new Promise((resolve) => thief.stdout.once("data", resolve));
      assert.equal(await address(world.dataDir, STACK, "web"), undefined);
      assert.equal((await failureOf(setAwake(world.dataDir, STACK, true))).reason, "StartFailed");
    } finally {
      thief.kill("SIGKILL");
      await thief.catch(() => undefined);
      await routeResource.delete(world.context(), "web", route);
      await serviceResource.delete(world.context(), id, state);
    }
  });

  it("gives the command an environment built from nothing", async () => {
    process.env.STACKLING_TEST_LEAK = "leaked";
    try {
      const { id, state } = await world.start(serviceInputs(checkout, {}, { environment: { DECLARED: "yes" } }));
      const environment = JSON.parse(await ask(state.address, "/env")) as Record<string, string>;
      assert.equal(environment.STACKLING_TEST_LEAK, undefined);
      assert.equal(environment.DECLARED, "yes");
      assert.equal(environment.STACKLING_PREVIEW, STACK);
      assert.ok(environment.HOME?.startsWith(world.dataDir));
      await serviceResource.delete(world.context(), id, state);
    } finally {
      delete process.env.STACKLING_TEST_LEAK;
    }
  });

  it("ends descendants that left the process group when it is deleted", async () => {
    const command = `(setsid sleep 600 &) ; exec node server.mjs`;
    const { id, state } = await world.start(serviceInputs(checkout, { command }));
    assert.equal((await processes()).length, 2);
    await serviceResource.delete(world.context(), id, state);
    assert.deepEqual(await processes(), []);
  });

  it("tells the exit code with the last lines, secrets taken out, when the command exits", async () => {
    const error = await failureOf(
      world.start(
        serviceInputs(
          checkout,
          { command: `echo "the key is topsecretvalue"; echo postgres://u:pw@h/d; exit 7` },
          {
            secrets: ["topsecretvalue"],
          },
        ),
      ),
    );
    assert.equal(error.reason, "StartFailed");
    assert.match(error.userMessage, /exited with code 7/);
    assert.deepEqual(error.excerpt, ["the key is [redacted]", "postgres://[redacted]@h/d"]);
    assert.deepEqual(await processes(), []);
  });

  it("says PortNotOpen when nothing listens in time, and leaves nothing running", async () => {
    const error = await failureOf(
      world.start(serviceInputs(checkout, { command: "sleep 600", startTimeoutSeconds: 0.3 })),
    );
    assert.equal(error.reason, "PortNotOpen");
    assert.deepEqual(await processes(), []);
  });

  it("says HealthCheckFailed with the status when the health path does not answer well", async () => {
    const error = await failureOf(
      world.start(serviceInputs(checkout, { healthPath: "/broken", startTimeoutSeconds: 1.5 })),
    );
    assert.equal(error.reason, "HealthCheckFailed");
    assert.match(error.userMessage, /"\/broken" answered 503/);
    assert.deepEqual(await processes(), []);
  });

  it("starts sidecars with it, and fails when one of them fails", async () => {
    const sidecars = [{ name: "helper", command: "exit 4" }];
    const error = await failureOf(
      world.start(serviceInputs(checkout, { sidecars, kind: "worker", command: "sleep 600" })),
    );
    assert.match(error.userMessage, /sidecar "helper" exited with code 4/);
    assert.deepEqual(await processes(), []);
  });

  it("says what a sidecar must do whose port the version before still has", async () => {
    const command = `exec node -e 'require("node:net").createServer().listen(process.env.FIXED, "127.0.0.1")'`;
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    // Never healthy, so that the sidecar fails before it however slowly it starts.
    const inputs = serviceInputs(checkout, { command: "exec sleep 600", sidecars: [{ name: "cache", command }] });
    try {
      const error = await failureOf(world.start({ ...inputs, environment: { FIXED: String(port) } }));
      assert.equal(error.reason, "StartFailed");
      assert.match(error.userMessage, /sidecar "cache" exited with code 1; .* is taken, .* a socket that \$PORT names/);
    } finally {
      taken.close();
    }
  });

  it("is made when a job has succeeded, and not before", async () => {
    const mark = join(checkout, "job-ran");
    await world.start(serviceInputs(checkout, { name: "once", kind: "job", command: `echo done > ${mark}` }));
    assert.equal(await readFile(mark, "utf8"), "done\n");
    const error = await failureOf(
      world.start(serviceInputs(checkout, { name: "bad", kind: "job", command: "exit 2" })),
    );
    assert.equal(error.reason, "StartFailed");
  });

  it("keeps the older release serving while a newer one fails", async () => {
    const old = await world.start(serviceInputs(checkout));
    await serviceResource.confirm?.(world.context(), old.id, old.state);
    await failureOf(world.start(serviceInputs(checkout, { command: "exit 1" })));
    assert.equal(await ask(old.state.address), "hello");
    await serviceResource.delete(world.context(), old.id, old.state);
  });

  it("removes what a run left that died before the engine knew of it", async () => {
    const orphan = await world.start(serviceInputs(checkout, {}, { generation: 1 }));
    const next = await world.start(serviceInputs(checkout, {}, { generation: 2 }));
    await assert.rejects(ask(orphan.state.address));
    assert.equal(await ask(next.state.address), "hello");
    await serviceResource.delete(world.context(), next.id, next.state);
  });

  it("is not ended by the deletion of an earlier one of the same name", async () => {
    const first = await world.start(serviceInputs(checkout));
    const second = await world.start(serviceInputs(checkout));
    assert.equal(first.id, second.id);
    await serviceResource.delete(world.context(), first.id, first.state);
    assert.equal(await ask(second.state.address), "hello");
    await serviceResource.delete(world.context(), second.id, second.state);
  });

  it("is seen as gone when its process died, and not when it sleeps", async () => {
    const { id, state } = await world.start(serviceInputs(checkout));
    for (const { pid } of await processes()) process.kill(pid, "SIGKILL");
    // A killed process loses its environment, by which we find it, a moment before the kernel counts it as dead.
    await eventually(async () => (await serviceResource.read(world.context(), id, state)) === undefined);
    await serviceResource.delete(world.context(), id, state);
  });

  it("takes neither the machine nor its neighbours with it when it forks without end", requires("root"), async () => {
    const bomb = `
import { spawn } from "node:child_process";
const more = (left) => {
  for (let i = 0; i < 20; i += 1) spawn("sleep", ["300"], { detached: true }).on("error", () => {});
  if (left > 0) setTimeout(more, 1, left - 20);
  else console.log("tried all");
};
more(1200);
${SERVER}`;
    const evil = await createRepository({ files: { "server.mjs": bomb } });
    const its = await createLocalWorld();
    try {
      const tree = await its.checkOut({ repository: evil.path, commit: await evil.head("main") });
      const { id, state } = await its.start(serviceInputs(tree, { memoryMiB: 2048 }));
      const log = layout(its.dataDir).preview(STACK).log("web");
      await eventually(async () => (await readFile(log, "utf8")).includes("tried all"));
      const running = await findMarked("STACKLING_OWNER", (owner) => owner.includes(`${its.dataDir}/`));
      assert.ok(running.length > 100 && running.length <= 1024, `${running.length} processes`);
      const beside = await world.start(serviceInputs(checkout));
      assert.equal(await ask(beside.state.address), "hello");
      await serviceResource.delete(world.context(), beside.id, beside.state);
      await serviceResource.delete(its.context(), id, state);
      assert.deepEqual(await findMarked("STACKLING_OWNER", (owner) => owner.includes(`${its.dataDir}/`)), []);
    } finally {
      await its.remove();
      await evil.remove();
    }
  });

  it("reads neither the data folder nor another preview when it has a user of its own", requires("root"), async () => {
    await writeFile(layout(world.dataDir).instance, "token", { mode: 0o600 });
    await folderResource.create(world.context("other-pr-2"), {}, "folder");
    const other = layout(world.dataDir).preview("other-pr-2");
    await writeFile(join(other.home, "private"), "private", { mode: 0o644 });
    const { folder } = layout(world.dataDir).preview(STACK);
    const tries = [
      `cat ${layout(world.dataDir).instance}`,
      `cat ${join(other.home, "private")}`,
      `ls ${world.dataDir}`,
      `ls ${layout(world.dataDir).mirrors}`,
      `cat ${folder}/services/*/launch.json`,
      `touch ${join(folder, "routes", "web.json")}`,
      `mv ${join(folder, "routes")} ${join(folder, "gone")}`,
    ];
    const command = `${tries.map((attempt) => `if ${attempt}; then exit 9; fi`).join("; ")}; exit 0`;
    await world.start(serviceInputs(checkout, { name: "spy", kind: "job", command }));
  });
});
