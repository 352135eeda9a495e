import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { withClient } from "../../../components/local/database-client.ts";
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
  stopEmbeddedPostgres,
} from "../../../service/embedded/postgres.ts";
import { PREVIEWS_URL_FILE, startEmbeddedServers } from "../../../service/embedded/postgres-servers.ts";
import { eventually } from "../../support/eventually.ts";
import { requires } from "../../support/requires.ts";

const logger = { info: () => undefined, warn: () => undefined };
const MODULE = new URL("../../../service/embedded/postgres.ts", import.meta.url).href;

describe("the embedded PostgreSQL", requires("postgres"), () => {
  let home: string;
  let dir: string;

  before(async () => {
    home = await mkdtemp(join(tmpdir(), "stackling-embedded-"));
    await chmod(home, 0o711);
    dir = join(home, "server");
  });
  after(async () => {
    await stopEmbeddedPostgres(dir);
    await rm(home, { recursive: true, force: true });
  });

  const start = () => startEmbeddedPostgres({ dir, logger });
  const query = async (server: EmbeddedPostgres, sql: string) =>
    withClient(server.url, async (client) => (await client.query(sql)).rows);

  it("keeps rows and port over a stop and a start, and leaves no process when stopped", async () => {
    const first = await start();
    assert.equal(first.adopted, false);
    await query(first, "CREATE TABLE kept (n int)");
    const pid = await postmaster(dir);
    await first.stop();
    await first.stop();
    await eventually(() => !isRunning(pid));
    const second = await start();
    assert.equal(second.port, first.port);
    assert.deepEqual(await query(second, "SELECT FROM kept"), []);
  });

  it("is waited for when it is adopted while it recovers from the death of one of its processes", async () => {
    const server = await start();
    const dies = query(server, "SELECT pg_sleep(60)").catch(() => undefined);
    const [backend] = await eventually(async () => {
      const rows = await query(server, "SELECT pid FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'");
      return rows.length > 0 && rows;
    });
    process.kill(backend.pid, "SIGKILL");
    await dies;
    await start();
  });

  it("lives on and is adopted when the process that started it is killed", async () => {
    await stopEmbeddedPostgres(dir);
    const program = `
      const { startEmbeddedPostgres } = await import(${JSON.stringify(MODULE)});
      await startEmbeddedPostgres({ dir: process.argv[1], logger: { info() {}, warn() {} } });
      process.kill(process.pid, "SIGKILL");`;
    await assert.rejects(promisify(execFile)(process.execPath, ["--input-type=module", "-e", program, dir]), {
      signal: "SIGKILL",
    });
    const pid = await postmaster(dir);
    const server = await start();
    assert.equal(server.adopted, true);
    assert.equal(await postmaster(dir), pid);
    await query(server, "SELECT 1");
  });

  it("recovers what was committed when the server itself was killed", async () => {
    const server = await start();
    await query(server, "CREATE TABLE committed (n int); INSERT INTO committed VALUES (1)");
    const pid = await postmaster(dir);
    process.kill(pid, "SIGKILL");
    await eventually(() => !isRunning(pid));
    const again = await start();
    assert.equal(again.adopted, false);
    assert.deepEqual(await query(again, "SELECT n FROM committed"), [{ n: 1 }]);
  });

  it("starts when a crash of the machine left a pid file whose pid is somebody else's now", async () => {
    await (await start()).stop();
    await writeFile(
      join(dir, "data", "postmaster.pid"),
      `${process.pid}\n${join(dir, "data")}\n1\n5432\n\n127.0.0.1\n\nready\n`,
    );
    const server = await start();
    assert.equal(server.adopted, false);
    await query(server, "SELECT 1");
  });

  it("takes another port and keeps that when its own was taken", async () => {
    const before = await start();
    await before.stop();
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(before.port, "127.0.0.1", resolve));
    const moved = await start();
    await moved.stop();
    await new Promise((resolve) => squatter.close(resolve));
    assert.notEqual(moved.port, before.port);
    assert.equal((await start()).port, moved.port);
  });

  it("lets nobody but the superuser connect to its own databases and to templates", async () => {
    const server = await start();
    const open = await query(
      server,
      `SELECT datname FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) acl WHERE acl.grantee = 0`,
    );
    assert.deepEqual(open, []);
  });

  it("asks for a password, listens on loopback only, and keeps the password where only we can read it", async () => {
    const server = await start();
    const url = new URL(server.url);
    url.password = "wrong";
    await assert.rejects(
      withClient(url.href, (client) => client.query("SELECT 1")),
      /password authentication failed/,
    );
    assert.deepEqual(await query(server, "SHOW listen_addresses"), [{ listen_addresses: "127.0.0.1" }]);
    assert.deepEqual(await query(server, "SHOW fsync"), [{ fsync: "on" }]);
    assert.equal((await stat(join(dir, "password"))).mode & 0o777, 0o600);
    assert.equal((await stat(join(dir, "server.log"))).mode & 0o777, 0o600);
    assert.equal((await stat(join(dir, "data"))).mode & 0o077, 0);
  });

  it("begins anew when an earlier initialisation was killed halfway", async () => {
    const other = join(home, "other");
    await mkdir(join(other, "new-1", "data"), { recursive: true });
    const server = await startEmbeddedPostgres({ dir: other, logger });
    await server.stop();
    assert.deepEqual((await readdir(other)).sort(), ["data", "password", "port", "server.log"]);
  });

  it("names the folder that the server's user cannot pass through", requires("root"), async () => {
    const closed = join(home, "closed");
    await mkdir(closed, { mode: 0o700 });
    await assert.rejects(startEmbeddedPostgres({ dir: join(closed, "server"), logger }), new RegExp(`"${closed}"`));
  });

  it("runs one server for the store and one for previews, starts a killed one again, and ends both", async () => {
    const folder = join(home, "postgres");
    const { store, previews, stop } = await startEmbeddedServers({
      dir: folder,
      needed: ["store", "previews"],
      logger,
    });
    assert.ok(store && previews);
    assert.notEqual(store.port, previews.port);
    const file = join(folder, PREVIEWS_URL_FILE);
    assert.equal((await readFile(file, "utf8")).trim(), previews.url);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const killed = await postmaster(join(folder, "store"));
    process.kill(killed, "SIGKILL");
    await eventually(async () => (await postmaster(join(folder, "store"))) !== killed, { what: "a new server" });
    await eventually(() => withClient(store.url, (client) => client.query("select 1")), { what: "its answer" });
    const pids = await Promise.all(["store", "previews"].map((name) => postmaster(join(folder, name))));
    await stop();
    await eventually(() => !pids.some(isRunning));
  });

  it("runs none of the servers that an operator's own take the place of", async () => {
    const folder = join(home, "own");
    const { store, previews, stop } = await startEmbeddedServers({ dir: folder, needed: [], logger });
    await stop();
    assert.deepEqual([store, previews], [undefined, undefined]);
    await assert.rejects(stat(folder), { code: "ENOENT" });
  });
});

async function postmaster(dir: string): Promise<number> {
  return Number((await readFile(join(dir, "data", "postmaster.pid"), "utf8")).split("\n")[0]);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
