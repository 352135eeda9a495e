/** What shall be of one preview: policy and spec over one look, and the clocks that both count with. */
import { canonical } from "../infra/canonical.ts";
import { commitsOf } from "../infra/linked.ts";
import { isStage, parseKey } from "../infra/names.ts";
import type { PreviewSpec } from "../infra/spec.ts";
import { specDigest } from "../infra/spec.ts";
import type { NewPreview } from "./adopt.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import type { OfficeHours } from "./config/types.ts";
import type { Desired } from "./decide.ts";
import { flagsSet } from "./flags.ts";
import { type Lifetime, lifecycleOf, lifetimeOf } from "./lifecycle.ts";
import { linkDistrust } from "./linked/links.ts";
import type { LookDeps } from "./look.ts";
import type { PauseSpan } from "./pauses.ts";
import { type ApplicationRead, blocked, type PolicyInput, policy, type SubjectRead, type Verdict } from "./policy.ts";
import { buildSpec } from "./spec-builder.ts";
import { chooseTarget } from "./target-check.ts";
import { distrustOf, type Isolation } from "./trust.ts";

/** What was found and read, before anything is written. */
export interface Look {
  readonly preview: NewPreview;
  /** False when the store has no row of it yet. */
  readonly known: boolean;
  readonly repository: RepositoryConfig | undefined;
  readonly subject: SubjectRead;
  readonly application: ApplicationRead | undefined;
  readonly cloneUrl: string | undefined;
  /** When everything was stopped: none of it counts. */
  readonly pauses: readonly PauseSpan[];
}

/** What shall be, of a preview as the store holds it now. */
export interface Wish {
  readonly verdict: Verdict;
  readonly desired: Desired;
  readonly lifetime: Lifetime;
  /** Undefined: only a person sends it to sleep. */
  readonly sleepAfterSeconds?: number;
  readonly officeHours?: OfficeHours;
  /** A stage that no push changes. */
  readonly byPromotion?: true;
  readonly spec?: PreviewSpec;
}

/** Policy and spec over one look. */
export function wishFor(deps: WishDeps, look: Look, preview: NewPreview): Wish {
  const { repository, subject } = look;
  const lifecycle = lifecycleOf(deps.config, repository);
  const { sleepAfterSeconds, officeHours } = lifecycle;
  const lifetime = lifetimeBy(deps, look, preview);
  const byPromotion = repository?.stage?.from === undefined ? {} : ({ byPromotion: true } as const);
  const clocks = { lifetime, sleepAfterSeconds, officeHours, ...byPromotion };
  const isolation = isolationBy(deps, repository);
  const ends = endsBy(lifetime, preview);
  const verdict = policy({
    ...look,
    intents: preview.intents,
    pushedAt: preview.lastPushAt,
    isolation,
    ...ends,
    isStage: isStage(preview.key),
    now: deps.now(),
  });
  if (verdict.kind !== "present") {
    return { verdict, desired: verdict.kind === "absent" ? verdict : { kind: "blocked" }, ...clocks };
  }
  const standstill = (ground: Extract<Verdict, { kind: "blocked" }>): Wish => ({
    verdict: ground,
    desired: { kind: "blocked" },
    ...clocks,
  });
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
    commit: verdict.commit,
    cloneUrl: look.cloneUrl,
    owner: subject.kind === "pullRequest" ? subject.pullRequest.author : "by-hand",
    createdAt: preview.createdAt,
    intents: preview.intents,
    ...(subject.kind === "pullRequest" ? { labels: subject.pullRequest.labels } : {}),
    hardStopSeconds: lifecycle.hardStopSeconds,
    ...(live ? { tags: live.tags } : {}),
    ...(application.login && deps.loginKeyOf ? { loginKey: deps.loginKeyOf(preview.stack) } : {}),
    ...(subject.kind === "pullRequest" && (distrustOf(subject.pullRequest) ?? linkDistrust(linksOf(look))) !== undefined
      ? { untrusted: { isolated: isolation === "apart" } }
      : {}),
  });
  const unasked = live !== undefined && !isAsked(spec, live);
  return { verdict, desired: { kind: "present", digest: specDigest(spec), unasked }, ...clocks, spec };
}

function linksOf({ application }: Pick<Look, "application">) {
  return application?.kind === "found" ? application.links : undefined;
}

export type WishDeps = Pick<LookDeps, "config" | "now" | "isolationOf" | "loginKeyOf">;

export function isolationBy(
  { isolationOf }: Pick<LookDeps, "isolationOf">,
  repository: RepositoryConfig | undefined,
): Isolation {
  return (repository && isolationOf?.(repository.target)) ?? "together";
}

/** By a push, or by what a person wished for. */
function isAsked(spec: PreviewSpec, live: PreviewSpec): boolean {
  const wishesOf = ({ generations, flags, ...sources }: PreviewSpec) =>
    canonical([commitsOf(sources), generations, flagsSet(flags)]);
  return wishesOf(spec) !== wishesOf(live);
}

export function endsOf(
  deps: Pick<LookDeps, "config" | "now">,
  look: Pick<Look, "repository" | "pauses">,
  preview: NewPreview,
): Ends {
  return endsBy(lifetimeBy(deps, look, preview), preview);
}

function lifetimeBy(
  { config, now }: Pick<LookDeps, "config" | "now">,
  { repository, pauses }: Pick<Look, "repository" | "pauses">,
  preview: NewPreview,
): Lifetime {
  return lifetimeOf(preview, lifecycleOf(config, repository), { now: now(), pauses });
}

type Ends = Pick<PolicyInput, "hardStop" | "idle" | "teardownAt" | "refusedSince">;

function endsBy({ hardStop, idleSince, idleStop, teardownAt }: Lifetime, { status }: NewPreview): Ends {
  return {
    hardStop,
    teardownAt,
    refusedSince: status.stackExists ? status.refusedSince : undefined,
    ...(idleStop === undefined ? {} : { idle: { since: idleSince, until: idleStop } }),
  };
}
