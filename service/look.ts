/** One look at a preview: what the store remembers, what the forge says, and what follows from both. */

import { canonical } from "../infra/canonical.ts";
import { isStage } from "../infra/names.ts";
import { type AdoptDeps, adopt, type NewPreview } from "./adopt.ts";
import { standingOf } from "./approval.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import type { OperatorConfig } from "./config/types.ts";
import { wishedForCommit } from "./fresh-database.ts";
import type { Intents } from "./intents.ts";
import { isKept } from "./lifecycle.ts";
import { tellNamed } from "./linked/follow.ts";
import { linkedCommits } from "./linked/links.ts";
import { linksSeen, withLinks } from "./linked/look.ts";
import { keptCommits } from "./linked/spec.ts";
import { EXPIRY, headOf, holdsFor, needsApplication, policy, refusalOf, type SubjectRead } from "./policy.ts";
import { wishedCommit } from "./rollback.ts";
import { wishedForScenario } from "./scenarios.ts";
import { repositoryFor } from "./stages/stage.ts";
import { newStatus, type Preview } from "./status.ts";
import type { Store } from "./store/store.ts";
import type { SubjectReader } from "./subject.ts";
import type { Isolation } from "./trust.ts";
import { endsOf, isolationBy, type Look, type Wish, type WishDeps, wishFor } from "./wish.ts";

export interface LookDeps extends AdoptDeps {
  readonly store: Pick<Store, "find" | "create" | "update" | "pauses" | "enqueue">;
  readonly config: Pick<OperatorConfig, "domain" | "scheme" | "targets" | "images" | "lifecycle">;
  readonly subjects: SubjectReader;
  /** Configured, or registered by `up PATH`; undefined when neither. */
  readonly findRepository: (name: string) => Promise<RepositoryConfig | undefined>;
  /** How a target keeps previews, by its name; undefined: none keeps them apart. */
  readonly isolationOf?: (target: string) => Isolation;
  /** Public key for logins as a user of the seeds, by stack. */
  readonly loginKeyOf?: (stack: string) => string;
  readonly now: () => string;
}

export type Found =
  | { readonly preview: Preview; readonly known: true }
  | { readonly preview: NewPreview; readonly known: false };

/** The preview's record, or the draft of one; undefined when nothing may come of this key. */
export async function findPreview(deps: LookDeps, key: string): Promise<Found | undefined> {
  const preview = await deps.store.find(key);
  if (preview) return { preview, known: true };
  const draft = await adopt(deps, key, deps.now());
  // A preview by hand begins with a person's word, never with a look.
  const isByHand = draft?.number === undefined && !isStage(key);
  if (!draft || (isByHand && !draft.status.stackExists)) return undefined;
  return { preview: draft, known: false };
}

/** What follows from the record and the clocks alone. Asks nobody, so that it is evidence of nothing else. */
export async function recall(deps: LookDeps, preview: Preview): Promise<Wish> {
  const [repository, pauses] = await Promise.all([findRepository(deps, preview), deps.store.pauses()]);
  const subject = { kind: "unreachable", message: "The forge was not asked." } as const;
  const unread = { application: undefined, cloneUrl: undefined };
  return wishFor(deps, { preview, known: true, repository, subject, pauses, ...unread }, preview);
}

/** As the preview has it; undefined also for a stage that the config does not name (any more). */
async function findRepository(deps: LookDeps, { repository, key }: NewPreview): Promise<RepositoryConfig | undefined> {
  return repositoryFor(await deps.findRepository(repository), key);
}

/** Asks the forge; reads `preview.yaml` only where the pull request itself does not decide. Never throws for an outage. */
export async function readWorld(deps: LookDeps, found: Found): Promise<Look> {
  const { preview } = found;
  const repository = await findRepository(deps, preview);
  const [subject, pauses] = await Promise.all([deps.subjects.readSubject(preview, repository), deps.store.pauses()]);
  const now = deps.now();
  const seen = { ...preview, ...factsOf(preview, subject, now) };
  const ends = endsOf(deps, { repository, pauses }, seen);
  const { intents, lastPushAt: pushedAt } = seen;
  const ground = { repository, subject, intents, pushedAt, isolation: isolationBy(deps, repository), ...ends, now };
  if (!repository || !needsApplication(ground)) {
    return { ...found, repository, subject, application: undefined, cloneUrl: undefined, pauses };
  }
  const head = headOf(subject);
  const commit = head === undefined ? undefined : wishedCommit(seen.intents, head);
  const { deploy } = seen.intents.generations;
  const [application, cloneUrl] = await Promise.all([
    // By hand it is read where the commit was chosen, and somebody chose that.
    deps.subjects.readApplication(
      repository,
      subject.kind === "commit" && commit !== undefined ? { ...subject, headSha: commit } : subject,
      subject.kind === "pullRequest" ? commit : undefined,
      // A stage that is promoted to runs what ran in the one before.
      repository.stage?.from === undefined
        ? keptCommits(preview.status.live, { commit, deploy })
        : (seen.intents.promoted?.sources ?? {}),
    ),
    deps.subjects.readCloneUrl(repository, subject),
  ]);
  return { ...found, repository, subject, application, cloneUrl, pauses };
}

/** Writes what was observed; undefined when there is nothing worth a record. */
export async function recordLook(deps: LookDeps, look: Look): Promise<Preview | undefined> {
  const recorded = await record(deps, look);
  if (recorded) await tellNamed(deps, look.preview, recorded);
  return recorded;
}

async function record(deps: LookDeps, look: Look): Promise<Preview | undefined> {
  if (look.known) {
    const before = await deps.store.find(look.preview.key);
    if (before && canonical({ ...before, ...observe(deps, before, look) }) === canonical(before)) return before;
    return deps.store.update(look.preview.key, (preview) => observe(deps, preview, look));
  }
  const draft = { ...look.preview, ...observe(deps, look.preview, look) };
  const { verdict } = wishFor(deps, look, draft);
  // Of a stranger's repository no record is made.
  if (look.subject.kind === "replaced" && !draft.status.stackExists) return undefined;
  // Of an open pull request that was read it is said what cannot be: it may be a line of its own description.
  const unread = verdict.kind === "blocked" && verdict.passing && look.subject.kind !== "pullRequest";
  const idle = verdict.kind === "absent" || unread || !look.repository;
  if (idle && !draft.status.stackExists) return undefined;
  return deps.store.create(draft);
}

/** What a look changes in the record. Pure but for the clock; laid over the newest record under its lock. */
function observe(deps: WishDeps, preview: NewPreview, look: Look): Partial<NewPreview> {
  const { subject, repository, application } = look;
  const now = deps.now();
  const read = factsOf(preview, subject, now);
  const refused =
    subject.kind === "pullRequest" &&
    repository &&
    refusalOf(repository, subject.pullRequest, subject.changedPaths) !== undefined;
  const refusedSince = refused ? (preview.status.refusedSince ?? now) : undefined;
  const { intents, lastPushAt: pushedAt } = { ...preview, ...read };
  const links = linksSeen(look);
  const linked = linkedCommits(links ?? preview.status.links);
  const standing = repository && standingOf({ repository, subject, intents, linked, pushedAt, now });
  const approval = standing && "unread" in standing ? preview.status.approval : standing;
  // Only a clean read says anything, to either side.
  const facts =
    read.status && repository
      ? withLinks({ ...read, status: { ...read.status, refusedSince, approval } }, { preview, links, now })
      : read;
  const seen = { ...preview, ...facts };
  const ground = { repository, subject, intents, pushedAt, isolation: isolationBy(deps, repository) };
  const verdict = policy({ ...ground, application, ...endsOf(deps, look, seen), now });
  if (verdict.kind === "absent" && verdict.reason === "Expired" && !intents.removed) {
    return { ...facts, intents: { ...intents, removed: expiredAt(seen, verdict.evidence, now) } };
  }
  if (verdict.kind !== "present") return facts;
  const wished = wishedForScenario({ ...seen, intents: wishedForCommit(seen, verdict) }, verdict.application);
  if (preview.status.goneAt === undefined) return { ...facts, intents: wished };
  // Reopened, or pushed to after it was gone: a life of its own, with clocks of its own.
  const clocks = { extendedTo: undefined, renewedAt: undefined, clocksFrom: undefined };
  return {
    ...facts,
    intents: { ...wished, ...clocks, asleep: false },
    createdAt: now,
    lastPushAt: now,
    status: { ...newStatus(now), headSha: headOf(subject) },
  };
}

/** What the forge says, as fields of the record; nothing where it says nothing. */
function factsOf(preview: NewPreview, subject: SubjectRead, now: string): Partial<NewPreview> {
  const head = headOf(subject);
  if (head === undefined) return {};
  const { intents, status } = preview;
  const pullRequest = subject.kind === "pullRequest" ? subject.pullRequest : undefined;
  const freed = pullRequest && isKept(preview) && !isKept({ intents, pullRequest });
  return {
    ...(pullRequest ? { pullRequest, gitBranch: pullRequest.headRef } : {}),
    ...(subject.kind === "commit" ? { gitBranch: subject.gitBranch } : {}),
    ...(status.headSha !== undefined && status.headSha !== head ? { lastPushAt: now } : {}),
    intents: {
      ...intents,
      removed: intents.removed && holdsFor(intents.removed, subject) ? intents.removed : undefined,
      // Over with a push, and with this life.
      rolledBack: intents.rolledBack?.head === head && status.goneAt === undefined ? intents.rolledBack : undefined,
      // Kept for months, it is not to go at once when its label does.
      ...(freed ? { clocksFrom: now } : {}),
    },
    status: { ...status, headSha: head },
  };
}

/** Noted, so that it does not come back by itself: clocks are over once it is gone. */
function expiredAt({ status }: NewPreview, evidence: string | undefined, now: string): Intents["removed"] {
  const headSha = status.headSha ?? status.live?.source.commit;
  return {
    at: now,
    by: EXPIRY,
    ...(headSha === undefined ? {} : { headSha }),
    ...(evidence === undefined ? {} : { evidence }),
  };
}
