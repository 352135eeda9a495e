import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import pg from "pg";
import { withClient } from "../../components/local/database-client.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../service/embedded/postgres.ts";

/** Tests lose nothing when the machine crashes. */
const FAST = { fsync: "off", synchronous_commit: "off", full_page_writes: "off", shared_buffers: "32MB" };
const silent = { info: () => undefined, warn: () => undefined };

/** A PostgreSQL server of the test's own, with superuser URL; `stop` ends it and removes its data. */
export async function startTestPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<{ url: string; port: number; logFile: string; stop(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "stackling-postgres-"));
  // As root the server is another user's process, who must be able to pass.
  await chmod(dir, 0o711);
  let server: EmbeddedPostgres;
  try {
    await execa("cp", ["-a", `${await template()}/.`, join(dir, "server")]);
    server = await startEmbeddedPostgres({
      dir: join(dir, "server"),
      settings: { ...FAST, ...settings },
      logger: silent,
    });
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
  return {
    url: server.url,
    port: server.port,
    logFile: join(dir, "server", "server.log"),
    async stop() {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A fresh database: on the server of `STACKLING_TEST_POSTGRES` when set, else on one of its own. */
export async function testDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const shared = process.env.STACKLING_TEST_POSTGRES;
  const server = shared ? { url: shared, stop: async () => undefined } : await startTestPostgres();
  const name = `test_${randomBytes(6).toString("hex")}`;
  await withClient(server.url, (client) => client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`));
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async drop() {
      await withClient(server.url, (client) =>
        client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`),
      );
      await server.stop();
    },
  };
}

/** A freshly initialised server's folder, kept between runs because `initdb` takes a second or two. */
async function template(): Promise<string> {
  const kept = join(tmpdir(), `stackling-test-postgres-18-${userInfo().uid}`);
  const found = await stat(kept).catch(() => undefined);
  // A folder of that name in a shared /tmp may be somebody else's doing.
  if (found?.isDirectory() && found.uid === userInfo().uid) return kept;
  const making = await mkdtemp(`${kept}-`);
  try {
    await chmod(making, 0o711);
    const server = await startEmbeddedPostgres({ dir: join(making, "server"), settings: FAST, logger: silent });
    await server.stop();
    await rm(join(making, "server", "port"));
    await rename(join(making, "server"), kept).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
    return kept;
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}
