/** What a commit of a pull request waits for by its repository's rule: persons, and time. Pure. */
import { canonical } from "../infra/canonical.ts";
import { type ApprovalRule, approverProblem, counted, missingOf, type Owners, type Word } from "./approval-rule.ts";
import type { ApprovalConfig } from "./config/approval.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import type { EnvironmentRule } from "./forges/reviews.ts";
import type { Approval, Intents } from "./intents.ts";
import type { SubjectRead } from "./policy.ts";
import { minuteOf } from "./reason-words.ts";
import { wishedCommit } from "./rollback.ts";
import { after } from "./times.ts";

/** What the forge says of one commit. */
export type ApprovalRead =
  | {
      readonly kind: "found";
      /** Approving reviews of exactly that commit, by people who may write. */
      readonly reviews: readonly Word[];
      /** Who wrote and who pushed that commit, as far as the forge tells. */
      readonly madeBy: readonly string[];
      /** Of the environment that the rule names. */
      readonly environment?: EnvironmentRule;
    }
  | { readonly kind: "unreachable"; readonly message: string };

/** How a commit stands; nothing is missing where there is neither `lacks` nor `until`. */
export interface ApprovalStanding {
  readonly sha: string;
  /** Those that count, as they came. */
  readonly given: readonly Word[];
  /** The people that are missing, as the rest of a sentence. */
  readonly lacks?: string;
  /** ISO 8601: not before then. */
  readonly until?: string;
}

export interface StandingInput {
  readonly repository: Pick<RepositoryConfig, "approval">;
  readonly subject: SubjectRead;
  readonly intents: Pick<Intents, "approvals" | "rolledBack">;
  /** Heads of the pull requests that it is previewed with, by their keys; absent: none. */
  readonly linked?: Readonly<Record<string, string>> | undefined;
  /** ISO 8601: when its head was first seen. */
  readonly pushedAt: string;
  /** ISO 8601 */
  readonly now: string;
  /** True where strangers of that repository read what is missing: no name of a person or an environment is in it. */
  readonly nameless?: boolean;
}

/** Of persons' approvals so many are remembered, over all commits. */
const APPROVALS_KEPT = 20;
const NAMES_SHOWN = 6;

/**
 * Undefined where nothing is asked for: without a rule, and where an older commit that served is wished for. With
 * `unread` the forge has not said what the rule needs to know.
 */
export function standingOf(input: StandingInput): ApprovalStanding | { readonly unread: string } | undefined {
  const { subject, intents, linked = {}, pushedAt, now, nameless = false } = input;
  const { approval: rule } = input.repository;
  if (!rule || subject.kind !== "pullRequest" || subject.pullRequest.state === "closed") return undefined;
  const { headSha: sha, author } = subject.pullRequest;
  if (wishedCommit(intents, sha) !== sha) return undefined;
  const read = subject.approval ?? { kind: "unreachable", message: "approvals were not read" };
  if (read.kind === "unreachable") return { unread: read.message };
  const others = Object.entries(linked);
  // A review is of this commit alone, and so is what was said before another one came beside it.
  const covers = (one: Approval) => one.sha === sha && others.every(([key, head]) => one.linked?.[key] === head);
  const said = [...(intents.approvals ?? []).filter(covers), ...(others.length > 0 ? [] : read.reviews)];
  const what = [short(sha), ...others.map(([key, head]) => `${short(head)} of ${key}`)].join(" with ");
  const owners = { asker: `@${author}`, makers: read.madeBy };
  const asked = requirementsOf(rule, read.environment);
  const words = asked.flatMap((one) => lackWords(said, { ...one, commit: what, owners, nameless }));
  const dueAt = after(pushedAt, Math.max(rule.waitSeconds, read.environment?.waitSeconds ?? 0) * 1000);
  const all = asked.flatMap(({ rule: one }) => counted(said, one, owners));
  const given = said.filter((one, at) => all.includes(one) && isFirst(said, at));
  return {
    sha,
    given: given.map(({ by, at }) => ({ by, at })),
    ...(words.length > 0 ? { lacks: words.join(", and ") } : {}),
    ...(dueAt > now ? { until: dueAt } : {}),
  };
}

/** What is missing, as a sentence without its full stop; undefined: nothing. */
export function waitsFor({ sha, lacks, until }: ApprovalStanding): string | undefined {
  const time = until === undefined ? undefined : minuteOf(until);
  if (lacks !== undefined) return `${lacks}${time === undefined ? "" : `; waits until ${time}`}`;
  return time === undefined ? undefined : `Commit ${short(sha)} waits until ${time}`;
}

/** Who let it run, for a row of its own; undefined: nobody need have. */
export function givenWords({ given }: Pick<ApprovalStanding, "given">): string | undefined {
  return given.length === 0 ? undefined : given.map(({ by }) => by).join(", ");
}

/** What an approval changes. Whoever lets the head run wants to see it run. */
export function approvedBy(
  intents: Intents,
  approved: Approval,
  byRule: boolean,
): Pick<Intents, "approved" | "approvals" | "rolledBack"> {
  return { approved, ...(byRule ? withApproval(intents, approved) : {}), rolledBack: undefined };
}

/** Why it would not count for the repository's own rule; an environment has others, who are not known here. */
export function personProblem(
  { approval }: Pick<RepositoryConfig, "approval">,
  { by, author, makers }: { readonly by: string; readonly author: string; readonly makers: readonly string[] },
): string | undefined {
  if (!approval || approval.environment !== undefined) return undefined;
  return requirementsOf(approval, undefined)
    .map(({ rule }) => approverProblem(rule, by, { asker: `@${author}`, makers }))
    .find((problem) => problem !== undefined);
}

/** The record of one more word; said again by the same person it is none. */
function withApproval({ approvals = [] }: Pick<Intents, "approvals">, word: Approval): Pick<Intents, "approvals"> {
  const isSame = ({ sha, by, linked }: Approval) =>
    sha === word.sha && by === word.by && canonical(linked ?? {}) === canonical(word.linked ?? {});
  if (approvals.some(isSame)) return { approvals };
  return { approvals: [...approvals, word].slice(-APPROVALS_KEPT) };
}

/** Whether persons are asked at all. */
export function asksPersons({ approval }: Pick<RepositoryConfig, "approval">): boolean {
  return approval !== undefined && (approval.required > 0 || approval.environment !== undefined);
}

interface Requirement {
  readonly rule: ApprovalRule;
  /** Whose words they are to be, with all names and without any. */
  readonly of: string;
  readonly ofNameless: string;
}

/** Those whose words are asked for; of an environment only where it was read. */
function requirementsOf(
  { required, by, environment }: ApprovalConfig,
  read: EnvironmentRule | undefined,
): readonly Requirement[] {
  const rule = { required, ...(by ? { by } : {}), own: false, ofForge: true };
  const own = required > 0 ? [{ rule, of: listed(by), ofNameless: "" }] : [];
  if (environment === undefined || !read?.reviewers) return own;
  const { reviewers, own: mayOwn } = read;
  const of = ` by a reviewer of the environment "${environment}"${listed(reviewers)}`;
  const ofNameless = " by a reviewer of its environment";
  return [...own, { rule: { required: 1, by: reviewers, own: mayOwn }, of, ofNameless }];
}

function lackWords(
  said: readonly Word[],
  {
    rule,
    of,
    ofNameless,
    commit,
    owners,
    nameless,
  }: Requirement & { readonly commit: string; readonly owners: Owners; readonly nameless: boolean },
): readonly string[] {
  if (missingOf(said, rule, owners) === 0) return [];
  const there = counted(said, rule, owners);
  const who = there.length === 0 ? "" : `: by ${there.map(({ by }) => by).join(" and ")}`;
  const what = rule.required === 1 ? "approval" : "approvals";
  return [`${there.length} of ${rule.required} ${what} of commit ${commit}${nameless ? ofNameless : `${of}${who}`}`];
}

function isFirst(said: readonly Word[], at: number): boolean {
  return said.findIndex(({ by }) => by.toLowerCase() === said[at]?.by.toLowerCase()) === at;
}

function listed(names: readonly string[] | undefined): string {
  if (!names) return "";
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : "";
  return names.length === 0 ? " (there is none)" : ` (${names.slice(0, NAMES_SHOWN).join(", ")}${more})`;
}

function short(sha: string): string {
  return `\`${sha.slice(0, 7)}\``;
}
