import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { withClient } from "../../components/local/database-client.ts";
import { formatMarker, previewDatabaseName } from "../../components/local/database-names.ts";
import { OWNER_MARK } from "../../components/local/environment.ts";
import { layout, prepareDataDir } from "../../components/local/layout.ts";
import { createSweep } from "../../service/sweep/sweep.ts";
import { createWorld } from "../../service/world.ts";
import { pullRequest } from "../support/memory-forge.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { type Bench, reconcileBench, SHA, shop } from "../support/reconcile-world.ts";

const STRAY = "shop-pr-404";
const OWN = "shop-pr-1";

let server: Awaited<ReturnType<typeof startTestPostgres>>;
let dataDir: string;
let bench: Bench;
const running = new Map<string, ChildProcess>();

before(async () => {
  // Of its own: a shared one holds other tests' databases, which are no previews of ours.
  server = await startTestPostgres();
  dataDir = await mkdtemp(join(tmpdir(), "stackling-sweep-"));
  await chmod(dataDir, 0o755);
  await prepareDataDir(dataDir);
  await writeFile(join(dataDir, "url"), server.url, { mode: 0o600 });
  bench = await reconcileBench(server.url);
});
after(async () => {
  await bench?.close();
  for (const child of running.values()) child.kill("SIGKILL");
  await server?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** A process and a database with our marks, as a preview's would be. */
async function makeByHand(stack: string): Promise<void> {
  const child = spawn("sleep", ["600"], {
    env: { PATH: process.env.PATH, [OWNER_MARK]: layout(dataDir).preview(stack).release("web").folder },
    stdio: "ignore",
    detached: true,
  });
  await once(child, "spawn");
  running.set(stack, child);
  const name = previewDatabaseName(stack);
  await withClient(server.url, async (client) => {
    await client.query(`CREATE ROLE ${name}`);
    const marker = formatMarker({ stack, generation: 0, id: "by-hand", complete: true });
    await client.query(`COMMENT ON ROLE ${name} IS '${marker}'`);
    await client.query(`CREATE DATABASE ${name} OWNER ${name}`);
  });
}

const databases = () =>
  withClient(server.url, async (client) => {
    const { rows } = await client.query("SELECT datname AS name FROM pg_database WHERE NOT datistemplate ORDER BY 1");
    return rows.map(({ name }) => String(name));
  });

describe("the sweep of this machine", () => {
  it("names a stray process and database made by hand, then removes them and nothing else", async () => {
    bench.forge.pulls.set(1, pullRequest(1, SHA.a));
    await bench.reconcile("shop#1");
    await withClient(server.url, (client) => client.query("CREATE DATABASE somebodys"));
    await makeByHand(OWN);
    await makeByHand(STRAY);
    const local = { driver: "local", options: { dataDir } };
    const world = createWorld({
      config: {
        targets: [
          {
            name: "local",
            runs: "source",
            service: local,
            database: { driver: "clone", options: { server: { file: join(dataDir, "url") } } },
            dns: { driver: "gateway", options: { dataDir } },
            secrets: { driver: "local", options: {} },
          },
        ],
      },
    });
    const sweep = createSweep({
      world,
      stacks: bench.stacks,
      store: bench.store,
      repositories: async () => [shop],
      forge: () => bench.forge,
      now: () => bench.clock.now,
      readAgainMs: 0,
    });
    const before = await databases();

    const named = await sweep({ dryRun: true });
    assert.deepEqual(
      named.found.map(({ key, things }) => [key, things.map(({ kind }) => kind).sort()]),
      [["shop#404", ["database", "process", "role"]]],
    );
    assert.deepEqual(await databases(), before);

    const ended = once(running.get(STRAY) ?? assert.fail("no stray process"), "exit");
    const { removed, failed, unread } = await sweep({ dryRun: false });
    await ended;
    assert.deepEqual([removed, failed, unread], [[STRAY], [], []]);
    const gone = previewDatabaseName(STRAY);
    assert.deepEqual(
      await databases(),
      before.filter((name) => name !== gone),
    );
    assert.equal(running.get(OWN)?.exitCode, null);
    assert.equal(running.get(OWN)?.signalCode, null);
    assert.deepEqual((await sweep({ dryRun: true })).found, []);
  });
});
