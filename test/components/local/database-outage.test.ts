/** What fails by its own fault, and what because its database server went away. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { TerminalError } from "../../../components/errors.ts";
import { withClient } from "../../../components/local/database-client.ts";
import { wasDatabaseAway } from "../../../components/local/database-outage.ts";
import { taskResource } from "../../../components/local/task.ts";
import { eventually } from "../../support/eventually.ts";
import { createRepository, type TestRepository } from "../../support/git-repository.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { requires } from "../../support/requires.ts";
import { createLocalWorld, failureOf, serviceInputs } from "./local-world.ts";

describe("what fails with a database", requires("postgres"), () => {
  let repository: TestRepository;
  let world: Awaited<ReturnType<typeof createLocalWorld>>;
  let server: Awaited<ReturnType<typeof startTestPostgres>>;

  beforeEach(async () => {
    repository = await createRepository({ files: { "a.txt": "a" } });
    [world, server] = [await createLocalWorld(), await startTestPostgres()];
  });
  afterEach(async () => {
    await server.stop();
    await world.remove();
    await repository.remove();
  });

  const migrate = async (command: string) => {
    const checkout = await world.checkOut({ repository: repository.path, commit: await repository.head("main") });
    const inputs = { checkout, directory: ".", environment: { DATABASE_URL: server.url }, secrets: [], key: "1" };
    return taskResource.create(world.context(), { ...inputs, task: "migrate", command }, "migrate");
  };

  it("waits for a new commit when it is a migration whose database is there", async () => {
    await assert.rejects(migrate("echo no such table; exit 1"), (error: unknown) => {
      assert.ok(error instanceof TerminalError);
      assert.equal(error.reason, "MigrationFailed");
      return true;
    });
  });

  it("is tried again when it is a migration whose database went away meanwhile", async () => {
    const goesOn = join(world.dataDir, "goes-on");
    const failing = migrate(`while [ ! -e ${goesOn} ]; do sleep 0.05; done; exit 1`);
    failing.catch(() => {});
    await server.stop();
    await writeFile(goesOn, "");
    await assert.rejects(failing, (error: unknown) => {
      assert.ok(!(error instanceof TerminalError));
      assert.match(String(error), /the database server was away meanwhile/);
      return true;
    });
  });

  it("is tried again when it is a service that ended without its database, and is its own fault with it", async () => {
    const checkout = await world.checkOut({ repository: repository.path, commit: await repository.head("main") });
    const inputs = serviceInputs(checkout, { command: "exit 1" }, { environment: { DATABASE_URL: server.url } });
    assert.equal((await failureOf(world.start(inputs))).reason, "StartFailed");
    await server.stop();
    assert.equal((await failureOf(world.start(inputs))).reason, "DatabaseFailed");
  });

  it("is judged by whether the server began anew meanwhile, not by whether it refuses", async () => {
    assert.equal(await wasDatabaseAway(server.url, 0), false);
    assert.equal(await wasDatabaseAway(server.url, 3_600_000), true);
    const began = performance.now();
    await killBackend(server.url);
    await eventually(() => withClient(server.url, () => Promise.resolve(true)).catch(() => false));
    assert.equal(await wasDatabaseAway(server.url, performance.now() - began), true);
    const missing = Object.assign(new URL(server.url), { pathname: "/no_such_database" });
    assert.equal(await wasDatabaseAway(missing.href, 3_600_000), false);
  });
});

/** After which the server throws everybody out and recovers, the same process all the while. */
async function killBackend(url: string): Promise<void> {
  const victim = withClient(url, async (client) => {
    const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    process.kill(rows[0]?.pid ?? 0, "SIGKILL");
    await client.query("SELECT pg_sleep(10)");
  });
  await assert.rejects(victim);
}
