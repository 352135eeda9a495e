/** One slash command laid over a preview: what it changes in the record, and what is answered. Pure. */

import { approvedBy, personProblem, type StandingInput, standingOf, waitsFor } from "../approval.ts";
import type { FlagDeclaration } from "../config/application-types.ts";
import type { Lifecycle } from "../config/types.ts";
import { flagFault, flagSaid } from "../flags.ts";
import type { CommandOutcome, Intents } from "../intents.ts";
import { extended, KEEP_LABEL, type Moment } from "../lifecycle.ts";
import { linkedCommits } from "../linked/links.ts";
import { isPaused } from "../pauses.ts";
import { hasLabel } from "../policy.ts";
import { minuteOf } from "../reason-words.ts";
import { rolledBackTo, wishedCommit } from "../rollback.ts";
import { scenarioFault, scenarioSaid } from "../scenarios.ts";
import type { Preview } from "../status.ts";
import { type ApprovalGround, approvalProblem, isApproved, linksProblem, wasSeen } from "../trust.ts";
import { asleep, kept, notAsleep, notRemoved, raised, removed } from "../wishes.ts";
import type { LogExcerpt } from "./log-lines.ts";
import type { Command } from "./parse.ts";

export interface Ground extends Moment {
  /** Login of who asked. */
  readonly by: string;
  /** Head that the forge shows now; the record may not have it yet. */
  readonly headSha: string;
  readonly lifecycle: Lifecycle;
  /** Those that preview.yaml declares; undefined where it was not read and nothing serves. */
  readonly flags?: Readonly<Record<string, FlagDeclaration>>;
  /** Of preview.yaml, by name; undefined as `flags` is. */
  readonly scenarios?: readonly string[];
  /** Why nothing is built for this pull request now, but for want of an approval; undefined when something is. */
  readonly refusal?: string;
  /** Of a fork's or an outsider's. */
  readonly trust: Omit<ApprovalGround, "headSha">;
  /** By the repository's rule, whoever it is of; undefined where there is none. */
  readonly approval?: Omit<StandingInput, "intents"> & { readonly author: string };
  /** What runs beside it waits for, as this look saw it; undefined: for nothing, or nobody can tell. */
  readonly beside?: string;
  /** ISO 8601: when it was said. */
  readonly saidAt: string;
  /** What was read for `logs`, by service; of all under "". */
  readonly logs?: ReadonlyMap<string, LogExcerpt>;
  /** True when it is closed or merged: nothing can be asked of its preview any more. */
  readonly closed: boolean;
}

export interface Carried {
  readonly change: { readonly intents?: Intents; readonly lastVisitAt?: string };
  readonly outcome: CommandOutcome;
  /** The rest of a sentence, without its full stop. */
  readonly answer: string;
  readonly lines?: readonly string[];
}

/** Decides on the preview as it is now, so that of several commands each sees what the one before it did. */
export function carryOut(preview: Preview, command: Command, ground: Ground): Carried {
  if (command.verb === "help") return done("the commands are listed below");
  if (command.verb === "status") return done(`looked at again on ${minuteOf(ground.now)}`);
  if (ground.closed) return confused("the pull request is closed");
  if (command.verb === "approve") return approve(preview, command, ground);
  const hindrance = hindranceOf(preview, command, ground);
  if (hindrance !== undefined) return confused(hindrance);
  if (command.verb === "logs") return lastLines(command, ground);
  const { change, answer, problem } = wish(preview, command, ground);
  if (problem !== undefined) return confused(problem);
  const { lastVisitAt, ...intents } = change;
  const waits = (BRING_UP.has(command.verb) || command.verb === "flag") && isPaused(ground.pauses, ground.now);
  return {
    outcome: "done",
    answer: waits ? `${answer} once previews go on, for all are stopped` : answer,
    change: { intents: { ...preview.intents, ...intents }, ...(lastVisitAt === undefined ? {} : { lastVisitAt }) },
  };
}

const BRING_UP: ReadonlySet<string> = new Set(["up", "redeploy", "reset-db", "seed", "rotate", "wake", "rollback"]);
/** What serves stays what it is, or was approved before. */
const MAKES_NOTHING_NEW: ReadonlySet<string> = new Set(["wake", "rollback"]);

function done(answer: string): Carried {
  return { change: {}, outcome: "done", answer };
}

function confused(answer: string): Carried {
  return { change: {}, outcome: "confused", answer };
}

/** What keeps it from being done whatever is asked for. */
function hindranceOf(preview: Preview, { verb }: Command, ground: Ground): string | undefined {
  const refusal = ground.refusal ?? wantOfApproval(preview, ground);
  if (verb === "down") return isGone(preview) ? "nothing of it is left already" : undefined;
  const makes = BRING_UP.has(verb) && !MAKES_NOTHING_NEW.has(verb);
  if (verb === "rollback" && ground.refusal !== undefined) return withoutStop(ground.refusal);
  if (refusal !== undefined && (makes || !preview.status.stackExists)) return withoutStop(refusal);
  // Its logins went with it.
  if ((!makes || verb === "rotate") && isGone(preview)) return "it is gone; `/preview up` or a push makes it anew";
  return undefined;
}

/** What the policy will say, on the record as the commands before this one left it. */
function wantOfApproval(
  { intents, status }: Preview,
  { trust: { distrust }, headSha, approval }: Ground,
): string | undefined {
  const isFree =
    distrust === undefined || isApproved(intents, wishedCommit(intents, headSha), linkedCommits(status.links));
  if (isFree) return approval && wantByRule(intents, approval);
  return `${distrust} Nothing of it runs until it is approved: \`/preview approve ${headSha}\``;
}

function wantByRule(intents: Intents, approval: Omit<StandingInput, "intents">): string | undefined {
  const standing = standingOf({ ...approval, intents });
  return standing && ("unread" in standing ? standing.unread : waitsFor(standing));
}

function makersIn(subject: StandingInput["subject"]): readonly string[] {
  const read = subject.kind === "pullRequest" ? subject.approval : undefined;
  return read?.kind === "found" ? read.madeBy : [];
}

function approve(
  preview: Preview,
  { sha }: Extract<Command, { verb: "approve" }>,
  { by, now, saidAt, headSha, trust, refusal, pauses, approval, beside }: Ground,
): Carried {
  const problem =
    approvalProblem(sha ?? headSha, { ...trust, headSha }) ??
    linksProblem(preview, saidAt) ??
    (approval && trust.distrust === undefined
      ? personProblem(approval.repository, {
          by: `@${by}`,
          author: approval.author,
          makers: makersIn(approval.subject),
        })
      : undefined);
  if (problem !== undefined) return confused(withoutStop(problem));
  if (sha === undefined && !wasSeen(preview, { headSha, saidAt })) {
    return confused("a commit came in the minute before, or after: say which, `/preview approve` with its whole id");
  }
  const linked = linkedCommits(preview.status.links);
  const approved = { sha: headSha, by: `@${by}`, at: now, ...(linked ? { linked } : {}) };
  const waits = isPaused(pauses, now) ? " once previews go on, for all are stopped" : "";
  const intents = { ...preview.intents, ...approvedBy(preview.intents, approved, trust.byRule ?? false) };
  const want = refusal ?? (approval && wantByRule(intents, approval)) ?? beside;
  const still = want === undefined ? `may run${waits}, and no other` : `is approved, and still: ${withoutStop(want)}`;
  return {
    change: { intents },
    outcome: "done",
    answer: `commit \`${headSha.slice(0, 7)}\` ${still}`,
  };
}

/** Also while it goes: what is asked of it now would be lost with it. */
function isGone({ status, intents }: Preview): boolean {
  return status.goneAt !== undefined || intents.removed !== undefined;
}

function lastLines({ service }: Extract<Command, { verb: "logs" }>, { logs }: Ground): Carried {
  const read = logs?.get(service ?? "") ?? { problem: "its log was not read" };
  if (read.problem !== undefined) return confused(read.problem);
  return {
    ...done(service === undefined ? "its last lines are below" : `the last lines of \`${service}\` are below`),
    lines: read.lines,
  };
}

type Wish =
  | {
      readonly change: Partial<Intents> & { lastVisitAt?: string };
      readonly answer: string;
      readonly problem?: undefined;
    }
  | { readonly problem: string; readonly change?: undefined; readonly answer?: undefined };

function wish(preview: Preview, command: Command, ground: Ground): Wish {
  const { now } = ground;
  switch (command.verb) {
    case "up":
      if (isGone(preview)) return { change: notRemoved(), answer: "it is made again" };
      return { change: {}, answer: preview.status.stackExists ? "it is there already" : "it comes as soon as it can" };
    case "down": {
      const status = { ...preview.status, headSha: ground.headSha };
      return {
        // The sign keeps a login apart from the names that mean more, such as that of expiry.
        change: removed({ ...preview, status }, { now, by: `@${ground.by}` }),
        answer: "it goes, with its database; a push or `/preview up` makes it anew",
      };
    }
    case "redeploy":
      return { change: raised(preview, "deploy"), answer: `${builtOf(preview, ground)} is built again` };
    case "reset-db":
      if (preview.status.live?.database?.shared) return { problem: "its database is not its own" };
      return { change: raised(preview, "database"), answer: "its database is made anew" };
    case "seed":
      if (command.scenario !== undefined) return seedWith(preview, command.scenario, ground);
      return { change: raised(preview, "seed"), answer: "its seed runs again" };
    case "rollback": {
      const wished = rolledBackTo(preview, command, { by: `@${ground.by}`, now, head: ground.headSha });
      return wished.problem === undefined ? { change: wished.intents, answer: wished.answer } : wished;
    }
    case "rotate":
      return { change: raised(preview, "secrets"), answer: "it gets another database login and other secrets" };
    case "sleep":
      return { change: asleep({ now }), answer: "it sleeps until somebody visits it, pushes or wakes it" };
    case "wake":
      return { change: { ...notAsleep(), lastVisitAt: now }, answer: "it wakes up" };
    case "flag":
      return setFlag(preview, command, ground);
    case "keep":
      return keep(preview, command.keep, ground);
    case "extend":
      return extend(preview, command.seconds, ground);
    default:
      return { problem: "there is no such command" };
  }
}

function builtOf({ intents }: Preview, { headSha }: Ground): string {
  const sha = wishedCommit(intents, headSha);
  return sha === headSha ? "the newest commit" : `\`${sha.slice(0, 7)}\``;
}

function setFlag(
  { intents, status }: Preview,
  { name, value }: Extract<Command, { verb: "flag" }>,
  { flags = status.live?.flags }: Ground,
): Wish {
  if (!flags && !status.live) return { problem: "its flags are not known before `preview.yaml` was read" };
  const isHeld = Object.hasOwn(intents.flags ?? {}, name);
  const fault = value === undefined && isHeld ? undefined : flagFault(flags ?? {}, name, value);
  if (fault !== undefined) return { problem: fault };
  const change = flagSaid(intents, name, value);
  if (value === undefined) return { change, answer: `\`${name}\` is again as labels and \`preview.yaml\` say` };
  return { change, answer: `\`${name}\` becomes \`${value}\`` };
}

function seedWith(
  preview: Preview,
  scenario: string,
  { scenarios = preview.status.live?.database?.scenarios }: Ground,
): Wish {
  const { live } = preview.status;
  if (live?.database?.shared) return { problem: "its database is not its own" };
  if (!scenarios && !live) return { problem: "its scenarios are not known before `preview.yaml` was read" };
  const fault = scenarioFault(scenarios ?? [], scenario);
  if (fault !== undefined) return { problem: fault };
  const answer = `its database is made anew and seeded with \`${scenario}\`; what was in it is lost`;
  return { change: scenarioSaid(preview, scenario), answer };
}

function keep(preview: Preview, keeps: boolean, { now }: Ground): Wish {
  const change = kept(preview, keeps, { now });
  if (keeps) return { change, answer: "neither age nor idleness removes it" };
  const answer = hasLabel(preview.pullRequest, KEEP_LABEL)
    ? `its label \`${KEEP_LABEL}\` keeps it all the same`
    : "it is kept no longer, and its times count from now on";
  return { change, answer };
}

function extend(preview: Preview, seconds: number, { now, pauses, lifecycle }: Ground): Wish {
  const wished = extended(preview, lifecycle, { seconds, now, pauses });
  if (!wished.intents) {
    return { problem: `it may stay until ${minuteOf(wished.furthest)} at most; \`/preview keep\` has no end` };
  }
  return { change: wished.intents, answer: `it stays until ${minuteOf(wished.intents.extendedTo ?? now)} at least` };
}

/** A sentence of the policy's as part of another. */
function withoutStop(sentence: string): string {
  return `${sentence.slice(0, 1).toLowerCase()}${sentence.slice(1)}`.replace(/\.$/, "");
}
