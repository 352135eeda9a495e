/** One look at a preview: what the store remembers, what the forge says, and what follows from both. */

import { canonical } from "../infra/canonical.ts";
import { parseKey } from "../infra/names.ts";
import type { PreviewSpec } from "../infra/spec.ts";
import { specDigest } from "../infra/spec.ts";
import { type AdoptDeps, adopt, type NewPreview } from "./adopt.ts";
import type { OperatorConfig, RepositoryConfig } from "./config/types.ts";
import type { Desired } from "./decide.ts";
import {
  type ApplicationRead,
  blocked,
  HARD_STOP,
  headOf,
  holdsFor,
  needsApplication,
  policy,
  type SubjectRead,
  type Verdict,
} from "./policy.ts";
import { buildSpec, hardStopOf } from "./spec-builder.ts";
import { newStatus, type Preview } from "./status.ts";
import type { Store } from "./store/store.ts";
import type { SubjectReader } from "./subject.ts";
import { chooseTarget } from "./target-check.ts";

export interface LookDeps extends AdoptDeps {
  readonly store: Pick<Store, "find" | "create" | "update">;
  readonly config: Pick<OperatorConfig, "domain" | "scheme" | "targets" | "images">;
  readonly subjects: SubjectReader;
  /** Configured, or registered by `up PATH`; undefined when neither. */
  readonly findRepository: (name: string) => Promise<RepositoryConfig | undefined>;
  readonly now: () => string;
}

/** What was found and read, before anything is written. */
export interface Look {
  readonly preview: NewPreview;
  /** False when the store has no row of it yet. */
  readonly known: boolean;
  readonly repository: RepositoryConfig | undefined;
  readonly subject: SubjectRead;
  readonly application: ApplicationRead | undefined;
  readonly cloneUrl: string | undefined;
}

/** What shall be, of a preview as the store holds it now. */
export interface Wish {
  readonly verdict: Verdict;
  readonly desired: Desired;
  readonly spec?: PreviewSpec;
}

/** The preview's record, or the draft of one; undefined when nothing may come of this key. */
export async function findPreview(
  deps: LookDeps,
  key: string,
): Promise<{ readonly preview: NewPreview; readonly known: boolean } | undefined> {
  const preview = await deps.store.find(key);
  if (preview) return { preview, known: true };
  const draft = await adopt(deps, key, deps.now());
  // A preview by hand begins with a person's word, never with a look.
  if (!draft || (draft.number === undefined && !draft.status.stackExists)) return undefined;
  return { preview: draft, known: false };
}

/** Asks the forge; reads `preview.yaml` only where the pull request itself does not decide. Never throws for an outage. */
export async function readWorld(deps: LookDeps, found: { preview: NewPreview; known: boolean }): Promise<Look> {
  const { preview } = found;
  const repository = await deps.findRepository(preview.repository);
  const subject = await deps.subjects.readSubject(preview, repository);
  const ground = { repository, subject, intents: preview.intents, hardStop: hardStopOf(preview), now: deps.now() };
  if (!repository || !needsApplication(ground)) {
    return { ...found, repository, subject, application: undefined, cloneUrl: undefined };
  }
  const [application, cloneUrl] = await Promise.all([
    deps.subjects.readApplication(repository, subject),
    deps.subjects.readCloneUrl(repository, subject),
  ]);
  return { ...found, repository, subject, application, cloneUrl };
}

/** Writes what was observed; undefined when there is nothing worth a record. */
export async function recordLook(deps: LookDeps, look: Look): Promise<Preview | undefined> {
  const now = deps.now();
  if (look.known) {
    const before = await deps.store.find(look.preview.key);
    if (before && canonical({ ...before, ...observe(before, look, now) }) === canonical(before)) return before;
    return deps.store.update(look.preview.key, (preview) => observe(preview, look, now));
  }
  const draft = { ...look.preview, ...observe(look.preview, look, now) };
  const { verdict } = wishFor(deps, look, draft);
  const idle = verdict.kind === "absent" || (verdict.kind === "blocked" && (verdict.passing || !look.repository));
  if (idle && !draft.status.stackExists) return undefined;
  return deps.store.create(draft);
}

/** Policy and spec over one look. */
export function wishFor(deps: Pick<LookDeps, "config" | "now">, look: Look, preview: NewPreview): Wish {
  const { repository, subject } = look;
  const hardStop = hardStopOf(preview);
  const verdict = policy({ ...look, intents: preview.intents, hardStop, now: deps.now() });
  if (verdict.kind !== "present") {
    return { verdict, desired: verdict.kind === "absent" ? verdict : { kind: "blocked" } };
  }
  const { application } = verdict;
  const key = parseKey(preview.key);
  if (!repository || !key || look.cloneUrl === undefined) {
    return standstill(blocked("Unreachable", "Where to fetch the source from is not known now.", { passing: true }));
  }
  const { live } = preview.status;
  const target = chooseTarget({ key: preview.key, config: deps.config, repository, application, live });
  if ("kind" in target) return standstill(target);
  const spec = buildSpec({
    config: deps.config,
    repository,
    target,
    application,
    key,
    gitBranch: preview.gitBranch,
    commit: verdict.headSha,
    cloneUrl: look.cloneUrl,
    owner: subject.kind === "pullRequest" ? subject.pullRequest.author : "by-hand",
    createdAt: preview.createdAt,
    generations: preview.intents.generations,
    ...(live ? { tags: live.tags } : {}),
  });
  return { verdict, desired: { kind: "present", digest: specDigest(spec) }, spec };
}

function standstill(verdict: Extract<Verdict, { kind: "blocked" }>): Wish {
  return { verdict, desired: { kind: "blocked" } };
}

/** The facts of a look, as fields of the record. Pure; laid over the newest record under its lock. */
function observe(preview: NewPreview, { subject, repository, application }: Look, now: string): Partial<NewPreview> {
  const head = headOf(subject);
  if (head === undefined) return {};
  const pushed = preview.status.headSha !== undefined && preview.status.headSha !== head;
  const removed =
    preview.intents.removed && holdsFor(preview.intents.removed, subject) ? preview.intents.removed : undefined;
  const facts = {
    ...(subject.kind === "pullRequest"
      ? { pullRequest: subject.pullRequest, gitBranch: subject.pullRequest.headRef }
      : {}),
    ...(pushed ? { lastPushAt: now } : {}),
    intents: { ...preview.intents, removed },
    status: { ...preview.status, headSha: head },
  };
  const ground = { ...preview, ...facts, hardStop: hardStopOf(preview) };
  const verdict = policy({ repository, subject, application, intents: ground.intents, hardStop: ground.hardStop, now });
  if (verdict.kind === "absent" && verdict.reason === "Expired" && !removed) {
    return { ...facts, intents: { ...facts.intents, removed: { at: now, headSha: head, by: HARD_STOP } } };
  }
  if (verdict.kind !== "present" || preview.status.goneAt === undefined) return facts;
  // Reopened, or pushed to after it was gone: a life of its own, with clocks of its own.
  const intents = { ...facts.intents, extendedTo: undefined, asleep: false };
  return { ...facts, intents, createdAt: now, lastPushAt: now, status: { ...newStatus(now), headSha: head } };
}
