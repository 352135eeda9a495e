/** How long a preview waits for its copy of a large baseline, against the server's plain way and against dump and restore. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type DatabaseInputs, databaseResource } from "../components/local/database.ts";
import { withClient } from "../components/local/database-client.ts";
import { baselineDatabaseName } from "../components/local/database-names.ts";
import type { ResourceContext } from "../components/local/resource.ts";
import { createBaseline } from "../service/baselines/baselines.ts";
import { startEmbeddedPostgres } from "../service/embedded/postgres.ts";
import { findLogicalCopy } from "./logical-copy.ts";
import { onLoopbackXfs } from "./loopback-xfs.ts";
import { fileSystemOf } from "./machine.ts";
import { type BenchContext, type BenchPart, sample } from "./part.ts";
import type { BenchRow } from "./report.ts";

/** Makes 500 MB of tables and primary keys, in five tables. */
const ROWS_PER_TABLE = 545_000;
const STACK = "bench-pr-1";
const COPY = "bench_copy";

/** Lines of the clone benchmark; takes a minute or two and 8 GB of disk, which are given back. */
export const benchClone: BenchPart = async (context) => {
  const home = await mkdtemp(join(tmpdir(), "stackling-clone-"));
  try {
    await chmod(home, 0o711);
    const own = await measure(context, home, { wal_log: 1.5, logical: 4 });
    const xfs = await onLoopbackXfs((folder) => measure(context, folder, { wal_log: 10, logical: 30 }));
    const rows =
      typeof xfs === "string" ? [{ name: "clone of a 500 MB baseline, XFS with reflinks", skipped: xfs }] : xfs;
    return [...own, ...rows];
  } finally {
    await rm(home, { recursive: true, force: true });
  }
};

async function measure(
  context: BenchContext,
  folder: string,
  aims: { wal_log: number; logical: number },
): Promise<readonly BenchRow[]> {
  context.say(`clone: making a baseline on ${await fileSystemOf(folder)}`);
  const server = await startEmbeddedPostgres({ dir: join(folder, "server"), logger: silent });
  try {
    const baseline = await createBaseline({ adminUrl: server.url, name: "bench", now: new Date().toISOString(), fill });
    const logical = await findLogicalCopy(18);
    const [ours, walLog, copied]: [number[], number[], number[]] = [[], [], []];
    // In turns, so that a disturbance of the machine meets all three.
    await sample(context, async (round) => {
      context.say(`clone, sample ${round + 1}`);
      ours.push(await timeClone(server.url));
      walLog.push(await timeWalLog(server.url));
      copied.push(await timeLogical(server.url, logical.copy));
    });
    const fileSystem = await fileSystemOf(folder);
    const name = `clone of a ${Math.round(baseline.bytes / 1e6)} MB baseline, ${fileSystem}`;
    const notes = [
      "ours: the whole resource, with role, password and handing over of the objects",
      "a CHECKPOINT, not timed, before every sample; fsync on",
    ];
    const common = { name, unit: "ms", ours, ratio: "theirs/ours", notes } as const;
    return [
      {
        ...common,
        peer: "CREATE DATABASE … STRATEGY wal_log",
        theirs: walLog,
        aim: { kind: "min", value: aims.wal_log },
      },
      { ...common, peer: logical.name, theirs: copied, aim: { kind: "min", value: aims.logical } },
    ];
  } finally {
    await server.stop();
  }
}

async function timeClone(adminUrl: string): Promise<number> {
  const context: ResourceContext = {
    settings: { dataDir: "/", adminUrl },
    stack: STACK,
    admit: async () => undefined,
    signal: new AbortController().signal,
    log: () => undefined,
  };
  const inputs: DatabaseInputs = { name: COPY, baseline: "bench", generation: 0, connectionLimit: 20, tags: {} };
  await withClient(adminUrl, (client) => client.query("CHECKPOINT"));
  const started = performance.now();
  const { id, state } = await databaseResource.create(context, inputs, "database");
  const took = performance.now() - started;
  await databaseResource.delete(context, id, state);
  return took;
}

function timeWalLog(adminUrl: string): Promise<number> {
  return timed(adminUrl, (admin) =>
    admin.query(
      `CREATE DATABASE ${COPY} TEMPLATE ${pg.escapeIdentifier(baselineDatabaseName("bench"))} STRATEGY wal_log`,
    ),
  );
}

async function timeLogical(adminUrl: string, copy: (source: string, target: string) => Promise<void>): Promise<number> {
  const source = pg.escapeIdentifier(baselineDatabaseName("bench"));
  // A sealed baseline takes no sessions, and this way needs one.
  await withClient(adminUrl, (client) => client.query(`ALTER DATABASE ${source} WITH ALLOW_CONNECTIONS true`));
  try {
    return await timed(adminUrl, async (admin) => {
      await admin.query(`CREATE DATABASE ${COPY} TEMPLATE template0`);
      await copy(databaseUrl(adminUrl, baselineDatabaseName("bench")), databaseUrl(adminUrl, COPY));
    });
  } finally {
    await withClient(adminUrl, (client) => client.query(`ALTER DATABASE ${source} WITH ALLOW_CONNECTIONS false`));
  }
}

async function timed(adminUrl: string, work: (admin: pg.Client) => Promise<unknown>): Promise<number> {
  return withClient(adminUrl, async (admin) => {
    await admin.query("CHECKPOINT");
    const started = performance.now();
    await work(admin);
    const took = performance.now() - started;
    await admin.query(`DROP DATABASE ${COPY} WITH (FORCE)`);
    return took;
  });
}

async function fill(url: string): Promise<void> {
  await withClient(url, async (client) => {
    for (const table of ["customers", "items", "orders", "payments", "visits"]) {
      await client.query(
        `CREATE TABLE ${table} AS SELECT n::bigint AS id, md5(n::text) AS code, now() - n * interval '1 minute' AS at,
           repeat(md5((n * 7)::text), 2) AS note FROM generate_series(1, ${ROWS_PER_TABLE}) AS n`,
      );
      await client.query(`ALTER TABLE ${table} ADD PRIMARY KEY (id)`);
    }
  });
}

function databaseUrl(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${encodeURIComponent(database)}`;
  return url.href;
}

const silent = { info: () => undefined, warn: () => undefined };
