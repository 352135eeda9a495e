/** What a preview's migrations made of its database, as people are told it. Pure. */
import { z } from "zod";
import type { SchemaChange } from "../components/local/schema-diff.ts";
import type { Preview } from "./status.ts";

/** What differs from the database that the preview was given; only where something does. */
export interface SchemaView {
  readonly changes: readonly SchemaChange[];
  readonly counts: Readonly<Record<SchemaChange["change"], number>>;
  /** Baseline that the database is a copy of; absent: it began empty, or as its strategy makes it. */
  readonly baseline?: string;
}

/** In a comment; the page has as many as there are. */
const SHOWN = 20;
const NAMED_IN_WARNING = 5;
const NAME_MAX = 130;
const SAYS_MAX = 80;
const KINDS = ["dropped", "changed", "added"] as const;

const text = z.string();
/** Written by the program, which may be another version's. */
const output = z.object({
  changes: z.array(
    z.object({
      change: z.enum(KINDS),
      kind: text,
      table: text.optional(),
      name: text,
      from: text.optional(),
      to: text.optional(),
    }),
  ),
  counts: z.object({ added: z.number(), changed: z.number(), dropped: z.number() }),
});

export function schemaView({ status: { live, outputs } }: Pick<Preview, "status">): SchemaView | undefined {
  const { data } = output.safeParse(outputs.schema);
  if (!live?.database || !data || data.changes.length === 0) return undefined;
  const { baseline } = live.database;
  const changes = data.changes.map(({ change, kind, table, name, from, to }) => ({
    change,
    kind,
    name,
    ...(table === undefined ? {} : { table }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  }));
  return { changes, counts: data.counts, ...(baseline === undefined ? {} : { baseline }) };
}

/** `1 dropped, 2 added`. */
export function schemaSummary({ counts }: SchemaView): string {
  return KINDS.filter((change) => counts[change] > 0)
    .map((change) => `${counts[change]} ${change}`)
    .join(", ");
}

/** In a line of plain text: what is lost by name, and how many there are of the others. */
export function schemaLine(view: SchemaView): string {
  const lost = lostOf(view).map(({ kind, table, name }) => `${kind} ${nameOf(table, name)}`);
  const words = lost.length > 0 ? `${schemaSummary(view)}; dropped: ${enumerated(lost)}` : schemaSummary(view);
  return `${words} (${sinceOf(view)})`;
}

/** Tables and columns that are dropped: "table `coupons`, column `orders.note`"; undefined where none is. */
export function schemaLoss(view: SchemaView): string | undefined {
  const lost = lostOf(view).map(({ kind, table, name }) => `${kind} ${code(nameOf(table, name))}`);
  return lost.length === 0 ? undefined : enumerated(lost);
}

/** Markdown, for a section that is folded. */
export function schemaSection(view: SchemaView): { readonly title: string; readonly body: string } {
  const { changes, counts } = view;
  const shown = changes.slice(0, SHOWN).map((change) => `- ${lineOf(change)}`);
  const more = counts.added + counts.changed + counts.dropped - shown.length;
  const lines = more > 0 ? [...shown, `- and ${more} more`] : shown;
  return {
    title: `Database schema: ${schemaSummary(view)}`,
    body: `Against ${sinceOf(view, code)}:\n\n${lines.join("\n")}`,
  };
}

/** What the change came to, behind its name; undefined where there is nothing to read. */
export function definitionOf({ from, to }: SchemaChange): string | undefined {
  const says = [from, to].map((one) => one && inert(one, SAYS_MAX));
  if (from !== undefined && to !== undefined) return `${says[0]} → ${says[1]}`;
  return says[0] ?? says[1];
}

/** `orders.note`, in which nothing can break the line that it stands in. */
export function nameOf(table: string | undefined, name: string): string {
  return inert(table === undefined ? name : `${table}.${name}`, NAME_MAX);
}

export function sinceOf({ baseline }: SchemaView, as: (name: string) => string = (name) => `"${name}"`): string {
  return baseline === undefined ? "the database that it began with" : `the baseline ${as(baseline)}`;
}

function lineOf(change: SchemaChange): string {
  const { kind, table, name } = change;
  const what = `${change.change} ${kind} ${code(nameOf(table, name))}`;
  const says = definitionOf(change);
  return `${isLoss(change) ? `**${what}**` : what}${says ? `: ${code(says)}` : ""}`;
}

function lostOf({ changes }: SchemaView): readonly SchemaChange[] {
  return changes.filter(isLoss);
}

export function isLoss({ change, kind }: SchemaChange): boolean {
  return change === "dropped" && (kind === "table" || kind === "column");
}

function enumerated(words: readonly string[]): string {
  const isAll = words.length <= NAMED_IN_WARNING;
  return `${words.slice(0, NAMED_IN_WARNING).join(", ")}${isAll ? "" : " and more"}`;
}

function code(words: string): string {
  return `\`${words}\``;
}

/** Names and definitions are the application's, which may want to look like something else. */
function inert(words: string, most: number): string {
  const plain = words.replace(/[`\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "�").trim() || "�";
  return plain.length <= most ? plain : `${plain.slice(0, most).replace(/\p{Surrogate}$/u, "")}…`;
}
