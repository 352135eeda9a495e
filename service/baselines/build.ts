/** From a source to a baseline: filled, cut down, masked, looked into. */
import type pg from "pg";
import { TerminalError } from "../../components/errors.ts";
import { withClient } from "../../components/local/database-client.ts";
import type { BaselineConfig } from "../config/baselines.ts";
import { resolveSecret } from "../secret-reference.ts";
import { type Baseline, createBaseline } from "./baselines.ts";
import { readCatalog } from "./catalog.ts";
import { type BaselineFinding, checkRows } from "./check.ts";
import { withoutConstraints } from "./constraints.ts";
import { type Fill, type FillOptions, fillFromCommand, fillFromDump, fillFromUrl } from "./fill.ts";
import { maskRows } from "./mask.ts";
import { collectNames, type Names } from "./names.ts";
import { planMasks, UnclassifiedError } from "./rules.ts";
import { cutDown } from "./subset.ts";

export interface BuildOptions {
  readonly config: BaselineConfig;
  /** Admin URL of the server it is built on; secret. */
  readonly adminUrl: string;
  /** What hashes and fakes depend on; secret. */
  readonly key: Uint8Array;
  /** ISO 8601 UTC */
  readonly now: string;
  readonly onStep: (doing: string) => void;
  readonly signal?: AbortSignal;
}

export interface Built {
  readonly baseline: Baseline;
  /** What still looks like a person's, in columns that are kept as they are. */
  readonly findings: readonly BaselineFinding[];
  /** The people's names that were taken out. */
  readonly names: Names;
}

/** Nothing is changed when it fails: the one before, if any, stays. Errors as `createBaseline`, `planMasks` and the sources. */
export async function buildBaseline(options: BuildOptions): Promise<Built> {
  const { config, adminUrl, now, onStep, signal } = options;
  const more = signal ? { signal } : {};
  const fill = await fillFor(config, {
    onStep,
    beforeRows: (url) => stopUnclassified(url, config),
    ...more,
  });
  let names: Names = [];
  let findings: readonly BaselineFinding[] = [];
  const baseline = await createBaseline({
    adminUrl,
    name: config.name,
    now,
    rewrite: true,
    keepOld: config.keepOld,
    async fill(url) {
      onStep("filling the database");
      await fill(url);
      names = await withClient(url, (client) => refine(client, options), signal);
      ({ findings } = await checkRows({ url, names, rules: config.columns, onStep, ...more }));
      signal?.throwIfAborted();
      onStep("writing its files anew");
    },
  });
  return { baseline, findings, names };
}

async function fillFor({ source }: BaselineConfig, options: FillOptions): Promise<Fill> {
  if (source.kind === "dump") return fillFromDump(source.file, options);
  if (source.kind === "seed") return fillFromCommand(source.command, source.directory, options);
  return fillFromUrl(await resolveSecret(source.url), options);
}

/** What else is wrong is told when all is there: indexes and keys come behind the rows. */
async function stopUnclassified(url: string, config: BaselineConfig): Promise<void> {
  try {
    planMasks(config, await withClient(url, readCatalog));
  } catch (error) {
    if (!(error instanceof TerminalError) || error instanceof UnclassifiedError) throw error;
  }
}

async function refine(client: pg.Client, options: BuildOptions): Promise<Names> {
  const { config, key, onStep, signal } = options;
  onStep("reading the schema");
  const catalog = await readCatalog(client);
  const masks = planMasks(config, catalog);
  const { subset, largeObjects } = config;
  if (masks.length === 0 && !subset && largeObjects !== "remove") return [];
  const names = await collectNames(client, masks);
  await withoutConstraints(client, catalog, async () => {
    if (subset) await cutDown(client, { subset, catalog, onStep });
    await maskRows(client, { masks, key, onStep, ...(signal ? { signal } : {}) });
  });
  await finish(client, largeObjects === "remove", onStep);
  return names;
}

/** What holds copies of rows outside of tables. */
async function finish(client: pg.Client, removesObjects: boolean, onStep: (doing: string) => void): Promise<void> {
  if (removesObjects) await client.query("SELECT lo_unlink(oid) FROM pg_largeobject_metadata");
  // One that reads another was made after it.
  const { rows } = await client.query<{ sql: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS sql FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'm' AND c.relispopulated ORDER BY c.oid`,
  );
  for (const { sql } of rows) {
    onStep(`refreshing ${sql}`);
    await client.query(`REFRESH MATERIALIZED VIEW ${sql}`);
  }
}
