import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databaseResource } from "../../components/local/database.ts";
import { previewDatabaseName } from "../../components/local/database-names.ts";
import { type DriverName, registry } from "../../components/registry.ts";
import { databaseContract } from "../contracts/database.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { requires } from "../support/requires.ts";

/** A driver without a line here fails the type check. */
const suites: Record<DriverName<"database">, () => void> = {
  clone: () =>
    databaseContract({ name: "clone", load: registry.database.clone, world: cloneWorld, ...requires("postgres") }),
};

for (const run of Object.values(suites)) run();

async function cloneWorld() {
  const server = await startTestPostgres();
  const folder = await mkdtemp(join(tmpdir(), "stackling-database-"));
  const file = join(folder, "admin.url");
  await writeFile(file, server.url, { mode: 0o600 });
  const options = { server: { file }, connectionLimit: 5 };
  return {
    options,
    async make(stack: string) {
      const context = {
        settings: { dataDir: folder },
        stack,
        admit: async () => undefined,
        signal: new AbortController().signal,
        log: () => undefined,
      };
      const inputs = { ...options, name: previewDatabaseName(stack), generation: 0, tags: {} };
      return (await databaseResource.create(context, inputs, "database")).state;
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}
