/** `baselines:` of `stackling.yaml`: what databases are prepared, from what, and what becomes of each column. */
import { resolve } from "node:path";
import { z } from "zod";
import type { ServerReference } from "../../components/local/database-server.ts";
import { closest } from "./closest.ts";
import { parseDuration } from "./duration.ts";
import { place } from "./place.ts";
import { secretReference } from "./secret-schema.ts";
import type { SecretReference, TargetConfig } from "./types.ts";
import type { Misfit } from "./yaml-file.ts";

export const fakeKinds = [
  "city",
  "company",
  "country",
  "email",
  "firstName",
  "ip",
  "jobTitle",
  "lastName",
  "name",
  "paragraph",
  "phone",
  "sentence",
  "state",
  "street",
  "url",
  "username",
  "word",
  "zip",
] as const;

export type FakeKind = (typeof fakeKinds)[number];

const rule = z.union([
  z.enum(["keep", "null", "hash", "format"]),
  z.null(),
  z.strictObject({ fake: z.enum(fakeKinds).describe("Made up, of this kind; the same value gives the same fake.") }),
  z.strictObject({ truncate: z.int().min(0, "must be at least 0").describe("Its first so many characters.") }),
  z.strictObject({ sql: z.string().min(1).describe("An expression of SQL over the row.") }),
]);

const every = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, 'must be a time such as "30m", "48h" or "14d"');

export const baselineSchema = z.strictObject({
  dump: z
    .string()
    .min(1)
    .optional()
    .describe("File of `pg_dump` (plain SQL, also gzipped, or an archive), relative to this file."),
  url: secretReference.optional().describe("Where the URL of the database to read is; `pg_dump` does that."),
  seed: z
    .strictObject({
      command: z.string().min(1).describe("Shell command that fills the database of `DATABASE_URL`."),
      directory: z.string().min(1).optional().describe("Where it runs, relative to this file. Default `.`."),
    })
    .optional()
    .describe("A command that makes schema and rows. One of `dump`, `url` and `seed`."),
  columns: z
    .union([z.literal("keep"), z.record(z.string().min(1), z.record(z.string().min(1), rule))])
    .optional()
    .describe(
      "What becomes of each column, by table and column: `keep`, `null`, `hash`, `format`, `{fake: KIND}`, `{truncate: LENGTH}` or `{sql: EXPRESSION}`. Every column that may hold text needs an entry; only made-up data (`seed`) may be kept whole by `columns: keep`.",
    ),
  largeObjects: z
    .enum(["keep", "remove"])
    .optional()
    .describe("What becomes of large objects; needed where there are any."),
  subset: z
    .strictObject({
      table: z.string().min(1).describe("The table that is cut down."),
      where: z.string().min(1).describe("SQL condition of the rows that stay."),
      whole: z
        .array(z.string().min(1))
        .optional()
        .describe("Tables that stay whole, such as a catalogue of products, although not all of it is needed."),
    })
    .optional()
    .describe("Cuts the data down to some rows of one table and what foreign keys need of the others. Default: all."),
  key: secretReference
    .optional()
    .describe(
      "Where the secret is that hashes and fakes depend on: the same key gives the same ones again. Default: made once, in the data folder.",
    ),
  refresh: z
    .literal("deploy")
    .optional()
    .describe(
      "`deploy`: built anew right before each database that is made of it, such as for every commit with `onPush: reset`; a build that runs already is shared. Default: by `every` and when asked for.",
    ),
  every: every.optional().describe("How often it is built anew. Default: only when asked for."),
  keepOld: z
    .int()
    .min(0, "must be at least 0")
    .optional()
    .describe("How many earlier ones stay on the server. Default 0."),
  target: z
    .string()
    .optional()
    .describe("Target whose database server it lies on; may be left out when there is one with a server of its own."),
});

export type BaselineFile = z.infer<typeof baselineSchema>;

/** What becomes of a column's values. */
export type ColumnRule =
  | "keep"
  | "null"
  | "hash"
  | "format"
  | { readonly fake: FakeKind }
  | { readonly truncate: number }
  | { readonly sql: string };

export type ColumnRules = Readonly<Record<string, Readonly<Record<string, ColumnRule>>>>;

export type BaselineSource =
  /** Absolute. */
  | { readonly kind: "dump"; readonly file: string }
  | { readonly kind: "url"; readonly url: SecretReference }
  | { readonly kind: "seed"; readonly command: string; readonly directory: string };

export interface SubsetRule {
  readonly table: string;
  readonly where: string;
  readonly whole: readonly string[];
}

export interface BaselineConfig {
  readonly name: string;
  readonly source: BaselineSource;
  /** `keep`: all of it was made up. */
  readonly columns: ColumnRules | "keep";
  readonly largeObjects?: "keep" | "remove";
  readonly subset?: SubsetRule;
  /** Undefined: made once, in the data folder. */
  readonly key?: SecretReference;
  /** Right before each database that is made of it. */
  readonly refresh?: "deploy";
  /** Undefined: built only when asked for. */
  readonly everySeconds?: number;
  readonly keepOld: number;
  /** Of the server it lies on. */
  readonly server: ServerReference;
}

interface FoundTarget {
  /** Undefined: there is something wrong with it. */
  readonly target?: TargetConfig;
}

/** With every relative path made absolute and each baseline's server found. */
export function resolveBaselines(
  typed: Readonly<Record<string, BaselineFile>> | undefined,
  { directory, targets: found }: { readonly directory: string; readonly targets: readonly FoundTarget[] },
): { readonly baselines: readonly BaselineConfig[]; readonly misfits: readonly Misfit[] } {
  const targets = found.flatMap(({ target }) => (target ? [target] : []));
  const misfits: Misfit[] = [];
  const baselines = Object.entries(typed ?? {}).flatMap(([name, file]): BaselineConfig[] => {
    const fault = (message: string, ...at: string[]) => {
      misfits.push({
        path: ["baselines", name, ...at],
        message: `"${["baselines", name, ...at].join(".")}" ${message}`,
      });
    };
    const source = sourceOf(file, directory);
    if (!source) fault("needs exactly one of dump, url, seed");
    if (file.columns === "keep" && !file.seed)
      fault("may keep everything only of a seed's made-up data; name each column of this source", "columns");
    const server = serverOf(file.target, targets);
    // A target with a mistake in it may be the one.
    if ("fault" in server && targets.length === found.length)
      fault(server.fault, ...(file.target === undefined ? [] : ["target"]));
    if (!source || "fault" in server) return [];
    const { largeObjects, subset, key, refresh } = file;
    const everySeconds = parseDuration(file.every ?? "");
    return [
      {
        name,
        source,
        columns: columnsOf(file.columns),
        ...(largeObjects ? { largeObjects } : {}),
        ...(subset ? { subset: { ...subset, whole: subset.whole ?? [] } } : {}),
        ...(key ? { key: place(key, directory) } : {}),
        ...(refresh ? { refresh } : {}),
        ...(everySeconds === undefined ? {} : { everySeconds }),
        keepOld: file.keepOld ?? 0,
        server: server.found,
      },
    ];
  });
  return { baselines, misfits };
}

function sourceOf({ dump, url, seed }: BaselineFile, directory: string): BaselineSource | undefined {
  if ([dump, url, seed].filter((one) => one !== undefined).length !== 1) return undefined;
  if (dump !== undefined) return { kind: "dump", file: resolve(directory, dump) };
  if (url) return { kind: "url", url: place(url, directory) };
  return seed && { kind: "seed", command: seed.command, directory: resolve(directory, seed.directory ?? ".") };
}

function columnsOf(columns: BaselineFile["columns"] = {}): ColumnRules | "keep" {
  if (columns === "keep") return columns;
  return Object.fromEntries(
    Object.entries(columns).map(([table, rules]) => [
      table,
      Object.fromEntries(Object.entries(rules).map(([column, typed]) => [column, typed ?? "null"])),
    ]),
  );
}

/** Database servers of targets, which baselines can lie on. */
export function serversOf(
  targets: readonly TargetConfig[],
): readonly { readonly name: string; readonly found: ServerReference }[] {
  return targets.flatMap(({ name, database }) => {
    const found = secretReference.safeParse(database?.options.server).data;
    return found ? [{ name, found }] : [];
  });
}

function serverOf(
  chosen: string | undefined,
  targets: readonly TargetConfig[],
): { readonly found: ServerReference } | { readonly fault: string } {
  const able = serversOf(targets);
  const names = able.map(({ name }) => name);
  if (chosen !== undefined) {
    const one = able.find(({ name }) => name === chosen);
    if (one) return one;
    const hint = closest(chosen, names);
    return {
      fault: `names no target with a database server; ${hint ? `did you mean "${hint}"?` : `known: ${names.join(", ")}`}`,
    };
  }
  const [first] = able;
  if (!first) return { fault: "has no server to lie on: no target has a database with a server" };
  const servers = new Set(able.map(({ found }) => JSON.stringify(found)));
  return servers.size === 1 ? first : { fault: `needs a "target", one of ${names.join(", ")}` };
}
