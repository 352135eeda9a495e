import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { databaseResource } from "../../components/local/database.ts";
import { type AccessInputs, databaseAccessResource } from "../../components/local/database-access.ts";
import { withClient } from "../../components/local/database-client.ts";
import { previewDatabaseName, SCHEMAS_DATABASE } from "../../components/local/database-names.ts";
import { branchName } from "../../components/planetscale/branches.ts";
import { type DriverName, registry } from "../../components/registry.ts";
import { branchName as supabaseName } from "../../components/supabase/branches.ts";
import { databaseContract } from "../contracts/database.ts";
import { aBranch, anEndpoint, NEON_KEY, type NeonServer, startNeonServer } from "../support/neon-server.ts";
import {
  aPassword,
  aBranch as aPlanetscaleBranch,
  PLANETSCALE_ACCOUNT,
  type PlanetscaleServer,
  startPlanetscaleServer,
} from "../support/planetscale-server.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { requires } from "../support/requires.ts";
import { aBranch as aSupabaseBranch, startSupabaseServer } from "../support/supabase-server.ts";

/** A driver without a line here fails the type check. */
const suites: Record<DriverName<"database">, () => void> = {
  clone: () =>
    databaseContract({ name: "clone", load: registry.database.clone, world: cloneWorld, ...requires("postgres") }),
  empty: () =>
    databaseContract({
      name: "empty",
      load: registry.database.empty,
      world: cloneWorld,
      baselines: false,
      ...requires("postgres"),
    }),
  snapshot: () =>
    databaseContract({
      name: "snapshot",
      load: registry.database.snapshot,
      world: snapshotWorld,
      baselines: false,
      ...requires("postgres", "psql"),
    }),
  schema: () =>
    databaseContract({
      name: "schema",
      load: registry.database.schema,
      world: () => accessWorld({}, { database: { name: SCHEMAS_DATABASE, own: true }, access: { kind: "schema" } }),
      baselines: false,
      ...requires("postgres"),
    }),
  shared: () =>
    databaseContract({
      name: "shared",
      load: registry.database.shared,
      world: () =>
        accessWorld(
          { database: "development", role: "developers", run: [] },
          { database: { name: "development", own: false }, access: { kind: "member", of: "developers" } },
        ),
      baselines: false,
      ...requires("postgres"),
    }),
  replica: () =>
    databaseContract({
      name: "replica",
      load: registry.database.replica,
      world: () =>
        accessWorld(
          { database: "development", schemas: ["public"] },
          { database: { name: "development", own: false }, access: { kind: "reader", schemas: ["public"] } },
        ),
      baselines: false,
      ...requires("postgres"),
    }),
  neon: () =>
    databaseContract({
      name: "neon",
      load: registry.database.neon,
      world: neonWorld,
      skip: false,
      options: async () => (await startedNeon()).options,
      made: ({ type }) => neonState[type] ?? {},
    }),
  planetscale: () =>
    databaseContract({
      name: "planetscale",
      load: registry.database.planetscale,
      world: planetscaleWorld,
      skip: false,
      options: planetscaleOptions,
      url: /^mysql:\/\/[^:]+:[^@]+@[^/]+:\d+\/[^/]+$/,
      made: () => ({ url: "mysql://role:word@host:3306/shop?ssl=%7B%7D" }),
    }),
  supabase: () =>
    databaseContract({
      name: "supabase",
      load: registry.database.supabase,
      world: supabaseWorld,
      skip: false,
      made: () => ({ url: "postgres://role:word@host:1/name", environment: {} }),
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

const planetscaleServers: PlanetscaleServer[] = [];
after(() => Promise.all(planetscaleServers.map((server) => server.close())));

let planetscale: ReturnType<typeof startedPlanetscale> | undefined;

/** One for all components: where the API answers is part of what they declare. */
async function planetscaleOptions() {
  planetscale ??= startedPlanetscale();
  return (await planetscale).options;
}

async function startedPlanetscale() {
  const server = await startPlanetscaleServer();
  planetscaleServers.push(server);
  const { planetscaleDatabase } = await import("../../components/database/planetscale.ts");
  const options = { ...planetscaleDatabase.example().options, ...PLANETSCALE_ACCOUNT, apiUrl: server.url };
  return { server, options };
}

async function planetscaleWorld() {
  const { server, options } = await startedPlanetscale();
  return {
    options,
    async make(stack: string) {
      const branch = aPlanetscaleBranch({ name: branchName(stack, 0) });
      server.branches.push(branch);
      server.passwords.push(aPassword(branch.name));
      return { url: "" };
    },
    stop: async () => {},
  };
}

async function supabaseWorld() {
  const server = await startSupabaseServer();
  const { supabaseDatabase } = await import("../../components/database/supabase.ts");
  const accessToken = { env: "STACKLING_TEST_SUPABASE" };
  return {
    options: { ...supabaseDatabase.example().options, accessToken, apiUrl: server.url },
    async make(stack: string) {
      server.branches.push(aSupabaseBranch({ name: supabaseName(stack, 0) }));
      return { url: "" };
    },
    stop: () => server.close(),
  };
}

async function serverWorld() {
  const server = await startTestPostgres();
  const folder = await mkdtemp(join(tmpdir(), "stackling-database-"));
  const file = join(folder, "admin.url");
  await writeFile(file, server.url, { mode: 0o600 });
  return {
    url: server.url,
    options: { server: { file }, connectionLimit: 5 },
    contextOf: (stack: string) => ({
      settings: { dataDir: folder },
      stack,
      admit: async () => undefined,
      signal: new AbortController().signal,
      log: () => undefined,
    }),
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}

async function cloneWorld() {
  const { options, contextOf, stop } = await serverWorld();
  return {
    options,
    async make(stack: string) {
      const inputs = { ...options, name: previewDatabaseName(stack), generation: 0, tags: {} };
      return (await databaseResource.create(contextOf(stack), inputs, "database")).state;
    },
    stop,
  };
}

async function snapshotWorld() {
  const { options: given, contextOf, stop } = await serverWorld();
  const dump = `${given.server.file}.sql`;
  await writeFile(dump, "CREATE TABLE orders (id int); INSERT INTO orders VALUES (1);\n");
  const options = { ...given, dump };
  return {
    options,
    async make(stack: string) {
      const inputs = { ...given, name: previewDatabaseName(stack), generation: 0, tags: {}, snapshot: { dump } };
      return (await databaseResource.create(contextOf(stack), inputs, "database")).state;
    },
    stop,
  };
}

/** With a database `development`, whose things belong to the role `developers`. */
async function accessWorld<O>(own: O, { database, access }: Pick<AccessInputs, "database" | "access">) {
  const { url, options, contextOf, stop } = await serverWorld();
  await withClient(url, async (client) => {
    await client.query("CREATE ROLE developers");
    await client.query("CREATE DATABASE development OWNER developers");
  });
  return {
    options: { ...options, ...own },
    async make(stack: string) {
      const inputs = { ...options, name: previewDatabaseName(stack), database, access, generation: 0 };
      return (await databaseAccessResource.create(contextOf(stack), inputs, "access")).state;
    },
    stop,
  };
}
