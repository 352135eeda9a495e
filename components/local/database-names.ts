/** What previews' databases and baselines are called and how ours are told from others'. */
import { z } from "zod";
import { TerminalError } from "../errors.ts";

const IDENTIFIER_MAX_BYTES = 63;
const PREFIX = "stackling:";

/**
 * Kept as the comment of a preview's role, which the preview itself cannot change (it owns its database
 * and may comment on that one). A database is ours when its owner's comment is such a marker.
 */
const marker = z.object({
  stack: z.string(),
  generation: z.number(),
  baseline: z.string().optional(),
  /** Made anew with every database. */
  id: z.string(),
  /** False until the database was handed over whole. */
  complete: z.boolean(),
  /** Of a role in a database that is not its own: what it may do, and where. */
  access: z
    .object({ kind: z.enum(["schema", "member", "reader"]), database: z.string(), of: z.string().optional() })
    .optional(),
  /** Of a login made by a rotation: the preview's role, in whose name it works. */
  login: z.string().optional(),
  /** Made anew whenever the role itself is let log in. */
  entry: z.string().optional(),
});

export type DatabaseMarker = z.infer<typeof marker>;

/** Comment of a database that Stackling made for many previews, and of the role that owns what they make in it. */
const sharedMarker = z.object({ shared: z.string(), complete: z.boolean() });

export type SharedMarker = z.infer<typeof sharedMarker>;

/** Comment of a sealed baseline's database. */
const baselineMarker = z.object({ baseline: z.string(), builtAt: z.string() });

export type BaselineMarker = z.infer<typeof baselineMarker>;

/** Database and role of a stack. Stack names are `[a-z0-9-]`, so no two give the same one. */
export function previewDatabaseName(stack: string): string {
  return checked(stack.replaceAll("-", "_"), `naming the database of "${stack}"`);
}

/** Database and owning role of a baseline; the dot keeps it apart from every stack's. */
export function baselineDatabaseName(baseline: string): string {
  return checked(`baseline.${baseline}`, `naming the database of baseline "${baseline}"`);
}

/** Database of many previews' schemas; the dot keeps it apart from every stack's. */
export const SCHEMAS_DATABASE = "stackling.schemas";

/** The one development database of a repository, and the role that owns what is in it. */
export function sharedDatabaseName(repository: string): string {
  return checked(`stackling.shared.${repository}`, `naming the shared database of "${repository}"`);
}

export function formatMarker(value: DatabaseMarker | BaselineMarker | SharedMarker): string {
  return PREFIX + JSON.stringify(value);
}

export function parseMarker(comment: string | null | undefined): DatabaseMarker | undefined {
  return marker.safeParse(parse(comment)).data;
}

export function parseBaselineMarker(comment: string | null | undefined): BaselineMarker | undefined {
  return baselineMarker.safeParse(parse(comment)).data;
}

export function parseSharedMarker(comment: string | null | undefined): SharedMarker | undefined {
  return sharedMarker.safeParse(parse(comment)).data;
}

function parse(comment: string | null | undefined): unknown {
  if (!comment?.startsWith(PREFIX)) return undefined;
  try {
    return JSON.parse(comment.slice(PREFIX.length));
  } catch {
    return undefined;
  }
}

/** PostgreSQL would cut a longer name without a word. */
function checked(name: string, action: string): string {
  const bytes = Buffer.byteLength(name);
  if (bytes > 0 && bytes <= IDENTIFIER_MAX_BYTES && !name.includes("\0")) return name;
  throw new TerminalError({
    reason: "DatabaseFailed",
    userMessage: `${action}: "${name}" has ${bytes} bytes, and PostgreSQL takes 1 to ${IDENTIFIER_MAX_BYTES}`,
  });
}
