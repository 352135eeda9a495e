/** Carries out one action under the stack's lease and writes down what became of it. */
import { StacklingError } from "../components/errors.ts";
import type { PreviewSpec } from "../infra/spec.ts";
import type { Stacks } from "../infra/stacks.ts";
import type { PrepareDatabase } from "./baselines/fresh.ts";
import { bringUp } from "./bring-up.ts";
import { goneFor, SERVES } from "./conditions.ts";
import type { OperatorConfig } from "./config/types.ts";
import { renewedInTime } from "./credentials.ts";
import type { Action } from "./decide.ts";
import type { DeployLog } from "./deployments/deployment.ts";
import { beginLog } from "./deployments/deployments.ts";
import { endOf } from "./deployments/end.ts";
import type { Recorder } from "./deployments/recorder.ts";
import { failureOf } from "./failure.ts";
import type { Holds } from "./holds.ts";
import { proveGone } from "./proof.ts";
import type { Preview, PreviewStatus } from "./status.ts";
import type { HeldLease } from "./store/lease.ts";
import type { Store } from "./store/store.ts";
import type { Tracing } from "./tracing/tracing.ts";
import type { World } from "./world.ts";

export type Act = Extract<Action, { kind: "up" | "sleep" | "wake" | "check" | "destroy" }>;

export interface ActuateDeps {
  readonly store: Pick<Store, "setStatus" | "update" | "record" | "addReceipt" | "receipts">;
  readonly stacks: Pick<Stacks, "up" | "destroy" | "remains">;
  readonly world: World;
  readonly config: Pick<OperatorConfig, "prometheus" | "limits">;
  /** Brings the commit to this machine before the engine starts. */
  readonly prepareSource: (spec: PreviewSpec) => Promise<void>;
  /** Brings what its database is made of up to date, before an engine is taken for it. */
  readonly prepareDatabase?: PrepareDatabase;
  /** Values of the spec's granted secrets. */
  readonly resolveSecrets: (spec: PreviewSpec) => Promise<Readonly<Record<string, string>>>;
  /** Keeps what is told of each update and removal. */
  readonly deployments?: Pick<Recorder, "begin">;
  /** Aborts when this process is about to end: a run that ends then says nothing about its input. */
  readonly stopping: AbortSignal;
  /** Undefined: failures are taken as they are told. */
  readonly holds?: Pick<Holds, "behind">;
  /** Told of each destroy that failed. Never rejects. */
  readonly alarm?: (preview: Preview) => Promise<void>;
  /** Told of each action at its end. Never throws. */
  readonly onActed?: (acted: Acted) => void;
  /** Never rejects. */
  readonly announce: (preview: Preview) => Promise<void>;
  /** Absent: no traces are made. */
  readonly tracing?: Pick<Tracing, "span">;
  readonly now: () => string;
}

/** One action that came to an end. */
export interface Acted {
  /** Name of the repository in the config. */
  readonly repository: string;
  readonly action: Act["kind"];
  /** `interrupted`: ended from outside, which says nothing about it. */
  readonly outcome: "done" | "failed" | "interrupted";
  readonly ms: number;
}

export interface Actuation {
  readonly preview: Preview;
  readonly action: Act;
  /** Present for `up`. */
  readonly spec?: PreviewSpec;
  readonly lease: HeldLease;
  /** Aborts when the wish itself is gone (closed): one SIGINT at once, and no more waiting for a wake. */
  readonly interrupt?: AbortSignal;
  /** Of an update or a removal. */
  readonly log?: DeployLog;
  readonly step: <T>(name: ActStep, work: () => Promise<T>) => Promise<T>;
}

export type ActStep =
  | "source"
  | "mark"
  | "up"
  | "checks"
  | "sleep"
  | "wake"
  | "destroy"
  | "prove"
  | "receipt"
  | "settle";

/** Resolves once status and receipt say what happened; failures of the action itself end there too. */
export async function actuate(deps: ActuateDeps, wanted: Actuation): Promise<void> {
  const log = beginLog(deps.deployments, wanted, deps.now());
  const actuation = log ? { ...wanted, log } : wanted;
  const { preview, step } = actuation;
  const begun = performance.now();
  let outcome: Acted["outcome"] = "interrupted";
  try {
    const change = await carryOut(deps, actuation);
    await step("settle", () => deps.store.setStatus(preview.key, { conflictUntil: undefined, ...change }));
    log?.end(endOf(actuation));
    outcome = "done";
  } catch (error) {
    // Says nothing about the action, which may have succeeded: the next look finds it interrupted.
    if (error instanceof StacklingError && error.reason === "StoreUnavailable") throw error;
    const cause = (await deps.holds?.behind(error)) ?? error;
    const change = failureOf(actuation, cause, { at: deps.now(), isEnded: endsWith(deps, actuation).aborted });
    const end = endOf(actuation, change);
    log?.end(end);
    outcome = end.outcome;
    const failed = await step("settle", () => deps.store.setStatus(preview.key, change));
    if (failed && change.destroyFailures !== undefined) await deps.alarm?.(failed);
    if (!(error instanceof StacklingError)) throw error;
  } finally {
    log?.end({ outcome: "interrupted" });
    const { kind } = actuation.action;
    deps.onActed?.({ repository: preview.repository, action: kind, outcome, ms: performance.now() - begun });
  }
}

function carryOut(deps: ActuateDeps, actuation: Actuation): Promise<Partial<PreviewStatus>> {
  switch (actuation.action.kind) {
    case "up":
      return bringUp(deps, { ...actuation, signal: endsWith(deps, actuation) });
    case "destroy":
      return destroy(deps, actuation, actuation.action);
    case "check":
      return checkVersion(deps, actuation);
    default:
      return setAwake(deps, actuation, actuation.action.kind);
  }
}

/** Written by itself, together with the wish that may follow from it. */
async function checkVersion(deps: ActuateDeps, actuation: Actuation): Promise<Partial<PreviewStatus>> {
  const signal = endsWith(deps, actuation);
  // Few have any, and what reads pages is not loaded for the others.
  const { check } = await import("./gates/check.ts");
  await actuation.step("checks", () => check(deps, { ...actuation, signal }));
  return {};
}

async function destroy(
  deps: ActuateDeps,
  actuation: Actuation,
  ground: Extract<Act, { kind: "destroy" }>,
): Promise<Partial<PreviewStatus>> {
  const { preview, lease, step, log } = actuation;
  log?.stage("removal", "Pulumi removes what the stack owns");
  await step("mark", () =>
    deps.store.setStatus(preview.key, {
      condition: "Reconciling",
      reason: "Destroying",
      message: "Removing everything it owns.",
    }),
  );
  const { removed, durationMs } = await step("destroy", () =>
    deps.stacks.destroy({ stack: preview.stack, lease, ...(log ? { onEvent: log.event } : {}) }),
  );
  log?.say("Looking in the world for what may be left of it");
  const proof = await step("prove", () => proveGone(deps, preview));
  await step("receipt", async () => {
    const [last] = await deps.store.receipts(preview.key);
    // Killed behind the receipt, the same life is destroyed again: it gets no second one.
    if (last && last.at >= preview.createdAt) return;
    const at = deps.now();
    const { reason, evidence } = ground;
    const why = { reason, ...(evidence === undefined ? {} : { evidence }) };
    await deps.store.addReceipt({ key: preview.key, stack: preview.stack, at, ...why, removed, proof, durationMs });
  });
  return goneFor(ground, preview.status, deps.now());
}

async function setAwake(
  deps: ActuateDeps,
  { preview, step, lease, interrupt }: Actuation,
  kind: "sleep" | "wake",
): Promise<Partial<PreviewStatus>> {
  const { live } = preview.status;
  if (!live) return {};
  if (kind === "wake") {
    await step("mark", () =>
      deps.store.setStatus(preview.key, { condition: "Reconciling", reason: "Waking", message: "Waking up." }),
    );
  }
  const signal = endsWith(deps, { lease, interrupt });
  const credential = kind === "wake" ? await renewedInTime(deps, preview) : {};
  await step(kind, () => deps.world.setAwake(live.target, preview.stack, kind === "wake", signal));
  // Whatever else was said of it stands until the next look.
  const serves = kind === "wake" && preview.status.reason === "Asleep" ? SERVES : {};
  return { ...serves, ...credential, awake: kind === "wake", failed: undefined };
}

/** Whatever ends an action before its time. */
function endsWith({ stopping }: ActuateDeps, { lease, interrupt }: Pick<Actuation, "lease" | "interrupt">) {
  return AbortSignal.any([stopping, lease.lost, ...(interrupt ? [interrupt] : [])]);
}
