/** The table of a preview, for every place that shows one. Pure. */
import { failedOne } from "../gates/results.ts";
import type { PreviewFacts } from "./facts.ts";
import type { CommitFact } from "./linked.ts";

/** A piece of a cell; each place has its own way to write a link and code. */
export type Piece = { readonly text: string; readonly url?: string } | { readonly code: string; readonly url?: string };

export interface Row {
  readonly name: string;
  /** Shown with a dot between them. */
  readonly cells: readonly (readonly Piece[])[];
}

export function rowsOf(facts: PreviewFacts): readonly Row[] {
  const { commit, newest, linked, partOf, services, database, untrusted, flags, checks, queue } = facts;
  const { cost, since, staysUntil, removedOn, approvedBy, keepCommand, extendCommand, keepLabel } = facts;
  const rows: (Row | undefined)[] = [
    commit && row("Commit", [commitPiece(commit)]),
    newest && row(commit ? "Newest commit" : "Commit", [commitPiece(newest)]),
    linked.length > 0 ? { name: "Linked", cells: linked.map(linkedPieces) } : undefined,
    partOf.length > 0 ? { name: "Part of", cells: partOf.map(({ key, url }) => [words(key, url)]) } : undefined,
    services.length > 0
      ? { name: "Services", cells: services.map(({ name, url, state }) => [words(name, url), { text: ` ${state}` }]) }
      : undefined,
    database?.branch === undefined ? undefined : row("Database branch", [{ code: database.branch }]),
    database?.scenario === undefined ? undefined : row("Seeded with", [{ code: database.scenario }]),
    logins(facts),
    untrusted === undefined ? undefined : row("Not trusted", [{ text: untrusted }]),
    approvedBy && row("Approved", [{ text: `by ${approvedBy.names}: ` }, commitPiece(approvedBy.commit)]),
    flags.length > 0
      ? { name: "Flags", cells: flags.map(({ name, value }) => [{ code: `${name}=${value}` }]) }
      : undefined,
    checks && row("Checks", [{ text: `${failedOne(checks.results) ? "❌" : "✅"} ${checks.summary}` }]),
    queue && row("Queue", [{ text: `${queue.place} of ${queue.of}` }]),
    cost && { name: "Cost", cells: costCells(cost) },
    row("Since", [{ text: since }]),
    removedOn === undefined
      ? undefined
      : row("Removed on", [
          { text: `${removedOn}, as all are then; ` },
          { code: keepCommand },
          { text: " or the label " },
          { code: keepLabel },
          { text: " keeps it" },
        ]),
    staysUntil === undefined
      ? undefined
      : row("Stays until", [{ text: `${staysUntil} at most; ` }, { code: extendCommand }, { text: " moves that" }]),
  ];
  return rows.filter((found) => found !== undefined);
}

function logins({ users, moreUsers }: PreviewFacts): Row | undefined {
  if (users.length === 0) return undefined;
  const more = moreUsers ? [[{ text: `all ${moreUsers.count}`, url: moreUsers.url }]] : [];
  return { name: "Log in as", cells: [...users.map(({ title, url }) => [words(title, url)]), ...more] };
}

function costCells({ soFar, month, estimate }: NonNullable<PreviewFacts["cost"]>): Row["cells"] {
  const words = [`${soFar} so far`, month && `${month} this month`, estimate];
  return words.flatMap((text) => (text ? [[{ text }]] : []));
}

function row(name: string, pieces: readonly Piece[]): Row {
  return { name, cells: [pieces] };
}

function linkedPieces({ said, url, commit }: PreviewFacts["linked"][number]): readonly Piece[] {
  return [words(said, url), { text: " at " }, commitPiece(commit)];
}

function commitPiece({ short, url }: CommitFact): Piece {
  return url === undefined ? { code: short } : { code: short, url };
}

function words(text: string, url: string | undefined): Piece {
  return url === undefined ? { text } : { text, url };
}
