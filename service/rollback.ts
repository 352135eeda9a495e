/** Going back to a commit that served before, until the next push. Pure. */
import { isStage } from "../infra/names.ts";
import type { PreviewSpec } from "../infra/spec.ts";
import type { Intents } from "./intents.ts";
import type { Preview, PreviewStatus } from "./status.ts";
import { distrustOf } from "./trust.ts";
import { notRemoved, raised } from "./wishes.ts";

export interface RolledBack {
  /** Commit that is to serve, by its whole id. */
  readonly sha: string;
  /** Head that it stands in for: with another one it is over. */
  readonly head: string;
  /** `@login` in a comment, else `api` or `page`. */
  readonly by: string;
  /** ISO 8601 UTC */
  readonly at: string;
  /** What became of its own database; absent where it has none. */
  readonly database?: "anew" | "kept";
}

/** A commit that was brought up whole. */
export interface Served {
  readonly sha: string;
  /** ISO 8601: when it first served. */
  readonly at: string;
  /** Of a stranger: somebody had approved it. */
  readonly approved?: true;
  /** Digest of its database's schema then; undefined where nobody could tell. */
  readonly schema?: string;
  /** Of the one among them that served last, which a rollback may have made another than the newest. */
  readonly last?: true;
}

/** Who rolled back where no person did. */
export const GATES = "gates";

const SERVED_KEPT = 10;
const PREFIX = /^[0-9a-f]{7,64}$/;
/** Failures before anything of a commit runs on the database. */
const BEFORE_MIGRATIONS: ReadonlySet<string> = new Set([
  "CheckoutFailed",
  "InstallFailed",
  "BuildFailed",
  "ImageNotFound",
  "ImageUnsigned",
  "SecretMissing",
  "SpecInvalid",
]);

/** The commit to build while the forge shows `head`. */
export function wishedCommit({ rolledBack }: Pick<Intents, "rolledBack">, head: string): string {
  return rolledBack?.head === head ? rolledBack.sha : head;
}

/** The list with what serves now; each commit keeps the place that it came to first. */
export function servedWith(
  { served = [] }: Pick<PreviewStatus, "served">,
  { source, untrusted }: Pick<PreviewSpec, "source" | "untrusted">,
  { outputs, now }: { readonly outputs: PreviewStatus["outputs"]; readonly now: string },
): readonly Served[] {
  const sha = source.commit;
  const before = served.find((one) => one.sha === sha);
  const schema = schemaDigest(outputs);
  const entry: Served = {
    sha,
    at: before?.at ?? now,
    ...(untrusted ? { approved: true } : {}),
    ...(schema === undefined ? {} : { schema }),
  };
  const list = before ? served.map((one) => (one === before ? entry : one)) : [...served, entry];
  return servedLast(list.slice(-SERVED_KEPT), sha);
}

/** The list once that commit serves; unchanged where it is not among them. */
export function servedLast(served: readonly Served[], sha: string): readonly Served[] {
  if (!served.some((one) => one.sha === sha)) return served;
  return served.map(({ last: _before, ...one }) => (one.sha === sha ? { ...one, last: true } : one));
}

/** What one may go back to, newest first: neither the commit that is wished now, nor the head. */
export function goodCommits({ status, intents, pullRequest }: RollbackGround): readonly Served[] {
  const head = status.headSha ?? pullRequest?.headSha;
  const wished = head && wishedCommit(intents, head);
  return (status.served ?? []).filter(({ sha }) => sha !== wished && sha !== head).reverse();
}

type RollbackGround = Pick<Preview, "status" | "intents" | "pullRequest"> & Partial<Pick<Preview, "key">>;

export interface RollbackAsked {
  /** Seven digits or more of a commit; absent: the last good one before that which is wished now. */
  readonly sha?: string;
  /** Leaves the database as it is, whatever newer migrations made of it. */
  readonly keepDatabase?: boolean;
}

export type Rollback =
  | { readonly intents: Partial<Intents>; readonly sha: string; readonly answer: string; readonly problem?: undefined }
  /** The rest of a sentence. */
  | { readonly problem: string };

/**
 * What a rollback changes. Asked for again it changes nothing; for the head it ends the one before. Of a stranger's
 * pull request only commits are offered that ran as approved ones, and to go back to one is to approve that again.
 *
 * @param head that the forge shows, where it was just asked
 */
export function rolledBackTo(
  preview: RollbackGround,
  // A stage's database is never made anew.
  { sha, keepDatabase = isStage(preview.key ?? "") }: RollbackAsked,
  {
    by,
    now,
    head = preview.status.headSha,
  }: { readonly by: string; readonly now: string; readonly head?: string | undefined },
): Rollback {
  const { intents, status, pullRequest } = preview;
  if (!status.live || head === undefined) return { problem: "no version of it has served yet" };
  const wished = wishedCommit(intents, head);
  if (sha !== undefined && PREFIX.test(sha) && head.startsWith(sha)) return followed(preview, { head, by, now });
  const found = sha === undefined ? lastBefore(status, wished) : named(status, sha);
  if ("problem" in found) return found;
  const { served } = found;
  if (served.sha === head) return followed(preview, { head, by, now });
  if (served.sha === wished) return { intents: {}, sha: wished, answer: `${short(wished)} is wished for already` };
  if (pullRequest && distrustOf(pullRequest) !== undefined && !served.approved) {
    return { problem: `${short(served.sha)} ran while the pull request was trusted, and was never approved` };
  }
  const own = status.live.database && !status.live.database.shared;
  const takesBack = !keepDatabase && takesDatabaseBack(preview, served);
  return {
    sha: served.sha,
    intents: {
      ...notRemoved(),
      rolledBack: { sha: served.sha, head, by, at: now, ...(own ? { database: takesBack ? "anew" : "kept" } : {}) },
      ...(takesBack ? raised(preview, "database") : {}),
      // With `onPush: reset` it is made for a commit: nothing raises it twice, or though it is to be kept.
      ...(intents.databaseFor === undefined ? {} : { databaseFor: served.sha }),
      ...(served.approved ? { approved: { ...intents.approved, sha: served.sha, by, at: now } } : {}),
    },
    answer: `it goes back to ${short(served.sha)}; ${databaseWords(preview, { keepDatabase, takesBack })}; ${endOf(intents)}`,
  };
}

/** What is said of one that was rolled back, wherever it is shown. */
export function rollbackWords(
  { sha, by, database }: Pick<RolledBack, "sha" | "by" | "database">,
  of: MaybePromoted,
): string {
  const on = database === undefined ? "" : database === "anew" ? ", on a database made anew" : ", its database kept";
  if (by === GATES) return `Gone back to ${short(sha)}, for the checks of a newer commit failed${on}; ${endOf(of)}.`;
  const who = by === "api" ? "on the command line" : by === "page" ? "on its page" : `by ${by}`;
  return `Rolled back to ${short(sha)} ${who}${on}; ${endOf(of)}.`;
}

/** What of a preview tells that it moves by promotion alone. */
interface MaybePromoted {
  readonly promoted?: unknown;
}

/** What ends a rollback: what is promoted to knows no pushes. */
function endOf({ promoted }: MaybePromoted): string {
  return promoted === undefined ? "a push follows the head again" : "the next promotion ends that";
}

/** In effect now; undefined while it follows the head. */
export function rolledBackOf({ intents, status }: Pick<Preview, "intents" | "status">): RolledBack | undefined {
  const { rolledBack } = intents;
  return rolledBack && rolledBack.head === status.headSha && status.goneAt === undefined ? rolledBack : undefined;
}

function followed(
  { intents, status }: RollbackGround,
  { head, by, now }: { readonly head: string; readonly by: string; readonly now: string },
): Rollback {
  if (intents.rolledBack?.head !== head) {
    return { sha: head, intents: {}, answer: `it follows the head already, ${short(head)}` };
  }
  // The rollback approved what it went to in its place.
  const wasApproved = status.served?.find(({ sha }) => sha === head)?.approved;
  const approved = wasApproved ? { approved: { ...intents.approved, sha: head, by, at: now } } : {};
  return {
    sha: head,
    intents: { rolledBack: undefined, ...approved },
    answer: `it follows the head again, ${short(head)}`,
  };
}

type Found = { readonly served: Served } | { readonly problem: string };

function lastBefore({ served = [], live }: PreviewStatus, wished: string): Found {
  const at = served.findIndex(({ sha }) => sha === wished);
  // What is wished never served well: what serves still is the last good one, or what it took the place of.
  const last = () =>
    served.find(({ sha }) => sha === live?.source.commit) ?? served.find((one) => one.last) ?? served.at(-1);
  const before = at === -1 ? last() : served[at - 1];
  return before ? { served: before } : { problem: `no commit before ${short(wished)} has served here` };
}

function named({ served = [] }: PreviewStatus, sha: string): Found {
  const found = PREFIX.test(sha) ? served.filter((one) => one.sha.startsWith(sha)) : [];
  const [one, another] = found;
  if (one && !another) return { served: one };
  if (another) return { problem: `several commits begin with ${short(sha)}; give more of its id` };
  const known = served.map((one) => short(one.sha)).reverse();
  return {
    problem: `${short(sha)} is no commit that served here; there ${known.length === 1 ? "is" : "are"} ${known.join(", ")}`,
  };
}

/** True where a run since the last success may have come as far as its database. */
export function mayHaveMigrated({ attempted, interrupted }: Pick<PreviewStatus, "attempted" | "interrupted">): boolean {
  if (interrupted || !attempted || attempted.mayHaveMigrated) return true;
  return !attempted.ok && !BEFORE_MIGRATIONS.has(attempted.failure?.reason ?? "");
}

/** Where it is the preview's own, and newer migrations may have changed it. */
function takesDatabaseBack({ status, intents }: RollbackGround, { sha, schema }: Served): boolean {
  const { live, outputs } = status;
  if (!live?.database || live.database.shared) return false;
  if (intents.databaseFor !== undefined || mayHaveMigrated(status)) return true;
  return sha !== live.source.commit && (schema === undefined || schema !== schemaDigest(outputs));
}

function databaseWords(
  { status: { live } }: RollbackGround,
  { keepDatabase, takesBack }: { readonly keepDatabase: boolean; readonly takesBack: boolean },
): string {
  if (takesBack) {
    return "its database is made anew from where it began and migrated and seeded by that commit, and what is in it now is lost";
  }
  if (!live?.database) return "it has no database";
  if (live.database.shared) return "its database is not its own and stays as newer migrations left it";
  if (keepDatabase) return "its database stays as newer migrations left it";
  return "its database stays, for its schema is the same";
}

/** As the program's output has it. */
function schemaDigest({ schema }: PreviewStatus["outputs"]): string | undefined {
  if (typeof schema !== "object" || schema === null || !("digest" in schema)) return undefined;
  return typeof schema.digest === "string" ? schema.digest : undefined;
}

function short(sha: string): string {
  return `\`${sha.slice(0, 7)}\``;
}
