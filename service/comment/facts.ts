/** What there is to say of a preview, in words and for no reader in particular: comment, chats and templates are made from it. Pure. */

import { hostOf, mainUrl, pageUrl, qrUrl } from "../addresses.ts";
import { givenWords } from "../approval.ts";
import { flagsSet } from "../flags.ts";
import { addressOf } from "../forges/addresses.ts";
import { type CheckResult, countWords } from "../gates/results.ts";
import { checksOf } from "../gates/words.ts";
import { KEEP_LABEL } from "../lifecycle.ts";
import type { Holding } from "../money/budgets/words.ts";
import type { CostFact } from "../money/said.ts";
import { minuteOf, reasonWords } from "../reason-words.ts";
import { HELD_BACK, STOPPED } from "../reasons.ts";
import { type SchemaView, schemaView } from "../schema-words.ts";
import type { Preview } from "../status.ts";
import { approvalNote, awaitedCommit, isTrusted } from "../trust.ts";
import { type CommandFact, commandsOf, takesCommands } from "./command-facts.ts";
import { type CommitFact, commitFact, type LinkedFact, type LinkedFacts, linkedFacts, linkedHeads } from "./linked.ts";
import { type Notice, noticesOf } from "./notices.ts";
import { type ServiceFact, servicesOf } from "./services.ts";

const EXCERPT_LINE_MAX = 400;
const LOGINS_SHOWN = 5;

export interface FactOptions {
  /** Where people reach Stackling's own pages, without a slash at the end. */
  readonly homeUrl?: string;
  /** The operator's address to go to while the preview does not serve. */
  readonly fallbackUrl?: string;
  /** Keys of the previews in which its head runs too. */
  readonly runsIn?: readonly string[];
  /** What it costs, coarse enough to be written into a comment. */
  readonly cost?: CostFact | undefined;
  /** The budget that holds the most of it. */
  readonly budget?: Holding | undefined;
}

/** Texts are plain, with `code` in backticks; times are minutes in UTC as people read them. */
export interface PreviewFacts extends LinkedFacts {
  readonly key: string;
  /** The repository's name in the config. */
  readonly repository: string;
  readonly number?: number;
  readonly title?: string;
  readonly author?: string;
  readonly pullRequestUrl?: string;
  readonly condition: string;
  readonly reason: string;
  /** One emoji. */
  readonly sign: string;
  /** The end of the sentence "Preview shop#42 …". */
  readonly words: string;
  /** Why, or what is being done; absent while it is simply ready. */
  readonly message?: string;
  /** It failed, and what served before goes on serving. */
  readonly servesOn?: true;
  /** Main address and its host; absent until a first version answers. */
  readonly url?: string;
  readonly host?: string;
  /** A picture of the main address for phones; absent where no phone could reach it. */
  readonly qrUrl?: string;
  /** Its page on Stackling. */
  readonly pageUrl?: string;
  /** The operator's address to go to; only while the preview cannot be had. */
  readonly fallbackUrl?: string;
  /** What serves. */
  readonly commit?: CommitFact;
  /** The newest one where that is not what serves. */
  readonly newest?: CommitFact;
  readonly services: readonly ServiceFact[];
  readonly database?: { readonly branch?: string; readonly scenario?: string };
  /** What its migrations changed; absent where they changed nothing. */
  readonly schema?: SchemaView;
  /** Test users, each with a link that logs in as him. */
  readonly users: readonly { readonly title: string; readonly url: string }[];
  /** Where there are more of them than that. */
  readonly moreUsers?: { readonly count: number; readonly url: string };
  /** Of a fork's or an outsider's that runs: on whose word, and without what. */
  readonly untrusted?: string;
  /** Who approved the newest commit, where the repository's rule asks for it. */
  readonly approvedBy?: { readonly names: string; readonly commit: CommitFact };
  /** Feature flags that somebody set. */
  readonly flags: readonly { readonly name: string; readonly value: string }[];
  /** Smoke tests and gates of the newest commit, and in words how many passed; absent where there were none. */
  readonly checks?: { readonly summary: string; readonly results: readonly CheckResult[] };
  /** Its place while a cap holds it back. */
  readonly queue?: { readonly place: number; readonly of: number };
  /** Absent while nothing was counted. */
  readonly cost?: CostFact;
  readonly since: string;
  /** When it goes whatever is done, and the teardown that it goes in. */
  readonly staysUntil?: string;
  readonly removedOn?: string;
  /** Commands by which people who read this keep it, and let it stay longer. */
  readonly keepCommand: string;
  readonly extendCommand: string;
  readonly keepLabel: string;
  /** A commit that waits for somebody who may write to the repository. */
  readonly approval?: ApprovalFact;
  readonly notices: readonly Notice[];
  /** What failed, in its own last words; redacted. */
  readonly excerpt: readonly string[];
  readonly answers: readonly AnswerFact[];
  readonly commands: { readonly inComments: readonly CommandFact[]; readonly byCli: readonly CommandFact[] };
}

export interface ApprovalFact {
  readonly commit: CommitFact;
  /** Heads of linked pull requests that it is an approval of as well. */
  readonly linked?: readonly LinkedFact[];
  /** What to say, and whether in a comment: else on the command line. */
  readonly say: string;
  readonly inComments: boolean;
  /** It waits by the repository's rule alone, and runs as every other does. */
  readonly trusted?: true;
}

/** A slash command and what came of it. */
export interface AnswerFact {
  readonly said: string;
  readonly by: string;
  readonly done: boolean;
  readonly answer: string;
  /** Of a log that somebody asked for; redacted. */
  readonly lines?: readonly string[];
}

/** In a sentence, with `code` in backticks. Who asked is named as anybody can be, and not called. */
export function answerWords({ said, by, done, answer }: AnswerFact): string {
  return `\`${said}\` by ${by}: ${done ? "" : "not done, "}${answer}`;
}

/** Conditions in which waiting for the link helps nobody. */
const OFFERED: ReadonlySet<string> = new Set([...HELD_BACK, ...STOPPED, "Gone", "Destroying"]);

const SAYS_ITSELF: ReadonlySet<string> = new Set(["DestroyFailed", "SmokeTestFailed", "GateFailed"]);

/** The same preview gives the same facts: there is no clock in them. */
export function previewFacts(preview: Preview, options: FactOptions = {}): PreviewFacts {
  const { status, key, repository, number, pullRequest } = preview;
  const { reason, condition, live, since } = status;
  const inComments = takesCommands(preview);
  const url = reason === "Destroying" ? undefined : mainUrl(preview);
  const command = (verb: string, rest = "") =>
    inComments ? `/preview ${verb}${rest}` : `stackling ${verb} '${key}'${rest}`;
  return present({
    key,
    repository,
    number,
    title: pullRequest?.title,
    author: pullRequest?.author,
    pullRequestUrl: pullRequest?.url,
    condition: reason === "Gone" ? "Gone" : condition,
    reason,
    ...reasonWords(reason),
    message: reason === "Healthy" ? undefined : status.message,
    servesOn: servesOn(status) ? true : undefined,
    url,
    host: hostOf(url),
    qrUrl: qrUrl(url, options.homeUrl),
    pageUrl: options.homeUrl === undefined ? undefined : pageUrl(options.homeUrl, key),
    fallbackUrl: OFFERED.has(reason) ? options.fallbackUrl : undefined,
    ...commitsOf(preview),
    ...linkedFacts(preview, options),
    services: servicesOf(status),
    database: databaseOf(status),
    schema: schemaView(preview),
    ...usersOf(preview),
    untrusted: approvalNote(preview),
    approvedBy: approvedBy(preview),
    flags: Object.entries(flagsSet(live?.flags)).map(([name, value]) => ({ name, value: String(value) })),
    checks: checksFact(preview),
    queue: reason === "Queued" ? status.queue : undefined,
    cost: options.cost,
    since: minuteOf(since),
    ...endsOf(status),
    keepCommand: command("keep"),
    extendCommand: command("extend", " 14d"),
    keepLabel: KEEP_LABEL,
    approval: approvalOf(preview, { inComments, say: (sha) => command("approve", ` ${sha}`) }),
    notices: noticesOf(preview, { keepCommand: command("keep"), budget: options.budget }),
    excerpt: status.excerpt.map((line) => line.replace(/[\r\n]+/g, " ").slice(0, EXCERPT_LINE_MAX)),
    answers: answersOf(preview),
    commands: commandsOf(preview, inComments),
  });
}

/** Templates and JSON tell what is absent by its absence. */
function present(facts: { readonly [K in keyof PreviewFacts]: PreviewFacts[K] | undefined }): PreviewFacts {
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== undefined),
  ) as unknown as PreviewFacts;
}

function commitsOf(preview: Preview): Pick<PreviewFacts, "commit" | "newest"> {
  const { status, pullRequest } = preview;
  const serving = status.live?.source.commit;
  const head = status.headSha ?? pullRequest?.headSha;
  return {
    ...(serving === undefined ? {} : { commit: commitOf(preview, serving) }),
    ...(head === undefined || head === serving ? {} : { newest: commitOf(preview, head) }),
  };
}

function commitOf({ pullRequest }: Preview, sha: string): CommitFact {
  return commitFact(sha, addressOf(pullRequest?.commitUrl, sha));
}

/** Of checks that failed the message says what serves. */
function servesOn({ condition, live, reason }: Preview["status"]): boolean {
  return condition === "Stalled" && live !== undefined && !SAYS_ITSELF.has(reason);
}

function checksFact({ status, pullRequest }: Preview): PreviewFacts["checks"] {
  const checked =
    checksOf(status, status.headSha ?? pullRequest?.headSha) ?? checksOf(status, status.live?.source.commit);
  const summary = checked && countWords(checked);
  return summary === undefined || checked === undefined ? undefined : { summary, results: checked.results };
}

function databaseOf({ live, outputs }: Preview["status"]): PreviewFacts["database"] {
  const branch = typeof outputs.database === "string" ? outputs.database : undefined;
  const scenario = live?.database?.scenario;
  if (branch === undefined && scenario === undefined) return undefined;
  return { ...(branch === undefined ? {} : { branch }), ...(scenario === undefined ? {} : { scenario }) };
}

/** By a click on a page of the preview's own, which asks once more. */
function usersOf(preview: Preview): Pick<PreviewFacts, "users" | "moreUsers"> {
  const users = preview.status.live?.login?.users ?? [];
  const main = mainUrl(preview);
  if (main === undefined) return { users: [] };
  const url = `${main}/.stackling/login`;
  const shown = users.slice(0, LOGINS_SHOWN);
  return {
    users: shown.map(({ name, title }) => ({ title, url: `${url}?${new URLSearchParams({ as: name })}` })),
    ...(users.length > shown.length ? { moreUsers: { count: users.length, url } } : {}),
  };
}

/** Undone once it is gone; while all is stopped the time left does not run down. */
function endsOf({ hardStop, teardownAt, stackExists, reason }: Preview["status"]) {
  if (!stackExists || reason === "Paused") return {};
  return {
    ...(hardStop === undefined ? {} : { staysUntil: minuteOf(hardStop) }),
    ...(teardownAt === undefined ? {} : { removedOn: minuteOf(teardownAt) }),
  };
}

function approvedBy(preview: Preview): PreviewFacts["approvedBy"] {
  const { approval } = preview.status;
  const names = approval && givenWords(approval);
  return names === undefined || approval === undefined ? undefined : { names, commit: commitOf(preview, approval.sha) };
}

function approvalOf(
  preview: Preview,
  { inComments, say }: { readonly inComments: boolean; readonly say: (sha: string) => string },
): ApprovalFact | undefined {
  const sha = awaitedCommit(preview);
  if (sha === undefined) return undefined;
  const url = addressOf(preview.pullRequest?.reviewUrl, sha);
  const linked = linkedHeads(preview);
  return {
    commit: commitFact(sha, url),
    ...(linked.length > 0 ? { linked } : {}),
    ...{ say: say(sha), inComments },
    ...(isTrusted(preview) ? { trusted: true } : {}),
  };
}

function answersOf({ intents, status }: Preview): readonly AnswerFact[] {
  return (intents.commands?.answers ?? []).map(({ said, by, outcome, answer, lines }) => {
    const done = outcome === "done";
    const state = said === "status" && done ? `, it ${reasonWords(status.reason).words}` : "";
    return { said: `/preview ${said}`, by: `@${by}`, done, answer: `${answer}${state}`, ...(lines ? { lines } : {}) };
  });
}
