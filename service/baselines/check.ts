/** Looks into every text of a baseline for what should not have come out. */
import pg from "pg";
import { withClient } from "../../components/local/database-client.ts";
import type { BaselineConfig } from "../config/baselines.ts";
import { type Column, readCatalog, type Table } from "./catalog.ts";
import { isFaked } from "./rules.ts";
import { createScan, type FindingKind, redact, type Scan } from "./scan.ts";

export interface BaselineFinding {
  readonly table: string;
  readonly column: string;
  readonly kind: FindingKind;
  /** Rows it is found in. */
  readonly rows: number;
  /** One of them, with most of it left out. */
  readonly sample: string;
}

export interface CheckReport {
  /** Columns that were read, and rows of all tables. */
  readonly columns: number;
  readonly rows: number;
  readonly findings: readonly BaselineFinding[];
}

export interface CheckOptions {
  /** Of a role that reads every table; secret. */
  readonly url: string;
  /** Names to look for; none by default. */
  readonly names?: Iterable<string>;
  /** Where names are made up, none is looked for. */
  readonly rules?: BaselineConfig["columns"];
  readonly onStep?: (doing: string) => void;
  readonly signal?: AbortSignal;
}

export async function checkRows({ url, names, rules = {}, onStep, signal }: CheckOptions): Promise<CheckReport> {
  const [scan, scanFakes] = [createScan(names), createScan()];
  return withClient(
    url,
    async (client) => {
      const { tables } = await readCatalog(client);
      const findings: BaselineFinding[] = [];
      let [columns, rows] = [0, 0];
      for (const table of tables) {
        const read = table.columns.filter(({ kind }) => kind !== "plain");
        if (read.length === 0) continue;
        onStep?.(`looking into ${table.name}`);
        columns += read.length;
        const scans = read.map((column) => (isFaked(rules, table, column) ? scanFakes : scan));
        const seen = await scanTable(client, { table, columns: read, scans, ...(signal ? { signal } : {}) });
        rows += seen.rows;
        findings.push(...seen.findings);
      }
      return { columns, rows, findings };
    },
    signal,
  );
}

const BATCH = 500;

async function scanTable(
  client: pg.Client,
  {
    table,
    columns,
    scans,
    signal,
  }: { table: Table; columns: readonly Column[]; scans: readonly Scan[]; signal?: AbortSignal },
): Promise<{ readonly rows: number; readonly findings: readonly BaselineFinding[] }> {
  const found = new Map<string, { rows: number; sample: string }>();
  let rows = 0;
  const only = table.partitioned ? "" : "ONLY ";
  await client.query("BEGIN READ ONLY");
  try {
    await client.query(
      `DECLARE stackling_rows NO SCROLL CURSOR FOR SELECT ${columns.map(asText).join(", ")} FROM ${only}${table.sql}`,
    );
    for (;;) {
      signal?.throwIfAborted();
      const batch = await client.query<(string | null)[]>({
        text: `FETCH ${BATCH} FROM stackling_rows`,
        rowMode: "array",
      });
      if (batch.rows.length === 0) break;
      rows += batch.rows.length;
      for (const row of batch.rows) {
        for (const [at, text] of row.entries()) note(columns[at], text, scans[at]);
      }
    }
  } finally {
    await client.query("ROLLBACK");
  }

  function note(column: Column | undefined, text: string | null, scan: Scan | undefined): void {
    if (!column || !text || !scan) return;
    const first = new Map(scan(text).map((sighting) => [sighting.kind, sighting]));
    for (const [kind, sighting] of first) {
      const key = JSON.stringify([column.name, kind]);
      const before = found.get(key);
      if (before) before.rows += 1;
      else found.set(key, { rows: 1, sample: redact(sighting) });
    }
  }

  const findings = [...found].map(([key, seen]) => {
    const [column, kind] = JSON.parse(key) as [string, FindingKind];
    return { table: table.name, column, kind, ...seen };
  });
  return { rows, findings };
}

/** Bytes as the text they may hold. */
function asText({ name, type }: Column): string {
  const own = pg.escapeIdentifier(name);
  return type === "bytea" ? `encode(${own}, 'escape')` : `${own}::text`;
}
