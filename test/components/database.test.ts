import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { databaseResource } from "../../components/local/database.ts";
import { previewDatabaseName } from "../../components/local/database-names.ts";
import { type DriverName, registry } from "../../components/registry.ts";
import { databaseContract } from "../contracts/database.ts";
import { aBranch, anEndpoint, NEON_KEY, type NeonServer, startNeonServer } from "../support/neon-server.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { requires } from "../support/requires.ts";

/** A driver without a line here fails the type check. */
const suites: Record<DriverName<"database">, () => void> = {
  clone: () =>
    databaseContract({ name: "clone", load: registry.database.clone, world: cloneWorld, ...requires("postgres") }),
  neon: () =>
    databaseContract({
      name: "neon",
      load: registry.database.neon,
      world: neonWorld,
      skip: false,
      options: async () => (await startedNeon()).options,
      made: ({ type }) => neonState[type] ?? {},
    }),
};

const neonState: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "neon:index/endpoint:Endpoint": { host: "ep-1.us-east-2.aws.neon.tech" },
  "neon:index/role:Role": { password: "word" },
};

for (const run of Object.values(suites)) run();

const neonServers: NeonServer[] = [];
after(() => Promise.all(neonServers.map((server) => server.close())));

/** A project with a baseline, and the branch that the component on mocks believes to have made. */
async function startedNeon() {
  const server = await startNeonServer();
  neonServers.push(server);
  process.env.STACKLING_TEST_NEON = NEON_KEY;
  server.branches.push(aBranch({ id: "br-main", name: "main" }), aBranch({ id: "shop-branch", name: "any" }));
  for (const branch of ["br-main", "shop-branch"]) server.passwords.set(`${branch}/neondb_owner`, "word of main");
  const { neonDatabase } = await import("../../components/database/neon.ts");
  const { options: example } = neonDatabase.example();
  const options = { ...example, apiKey: { env: "STACKLING_TEST_NEON" }, parent: "main", apiUrl: server.url };
  return { server, options };
}

async function neonWorld() {
  const { server, options } = await startedNeon();
  return {
    options,
    async make(stack: string) {
      server.branches.push(aBranch({ id: `br-${stack}`, name: `stackling/${stack}/0`, parent_id: "br-main" }));
      server.endpoints.push(anEndpoint({ id: `ep-${stack}`, branch_id: `br-${stack}`, current_state: "active" }));
      return { url: "" };
    },
    stop: async () => {},
  };
}

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
