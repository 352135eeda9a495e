/** The log of each deployment: begun where the work is, read by API, pages and CLI. */
import { setTimeout as delay } from "node:timers/promises";
import type { PreviewSpec } from "../../infra/spec.ts";
import type { Act } from "../actuate.ts";
import type { Preview } from "../status.ts";
import type { DeployLine, DeployLog, DeploymentStore, NewDeployment } from "./deployment.ts";
import { createRecorder, type Recorder, type RecorderDeps } from "./recorder.ts";
import { causeOf } from "./words.ts";

/** How long a push may have waited to be told as waiting. */
const QUEUED_MAX_MS = 3_600_000;
/** What another replica writes is told by the store; where that was missed, it is seen by then. */
const LOOK_AGAIN_MS = 2_000;

export interface Deployments extends Pick<DeploymentStore, "deployments" | "deployment">, Recorder {
  /** Lines from behind `after`, and with `follow` those to come until it has ended. */
  lines(key: string, id: string, how: LineQuery): AsyncGenerator<DeployLine>;
}

export interface LineQuery {
  readonly after: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

export interface DeploymentsDeps extends Omit<RecorderDeps, "store"> {
  readonly store: DeploymentStore;
}

export function createDeployments(deps: DeploymentsDeps): Deployments {
  const { store } = deps;
  return {
    ...createRecorder(deps),
    deployments: store.deployments,
    deployment: store.deployment,
    async *lines(key, id, { after, follow, signal }) {
      const changes = watch(store, id);
      try {
        for (let last = after; !signal.aborted; ) {
          changes.reset();
          // Asked before its lines, so that none comes between them and its end.
          const running = follow && (await store.deployment(key, id))?.outcome === "running";
          const found = await store.deployLines(id, last);
          yield* found;
          last = found.at(-1)?.n ?? last;
          if (found.length > 0) continue;
          if (!running) return;
          await changes.next(signal);
        }
      } finally {
        changes.stop();
      }
    },
  };
}

/** The log of an action that makes or removes a version; undefined for one that only sleeps or wakes. */
export function beginLog(
  recorder: Pick<Recorder, "begin"> | undefined,
  { preview, action, spec }: { readonly preview: Preview; readonly action: Act; readonly spec?: PreviewSpec },
  now: string,
): DeployLog | undefined {
  const { key } = preview;
  if (action.kind === "up" && spec) {
    const queued = queuedAt(preview, spec, now);
    const about: NewDeployment = { key, kind: "up", commit: spec.source.commit, cause: causeOf(preview, spec) };
    return recorder?.begin({ ...about, ...(queued === undefined ? {} : { queuedAt: queued }) });
  }
  if (action.kind !== "destroy") return undefined;
  const why = REMOVALS[action.reason] ?? action.reason;
  return recorder?.begin({ key, kind: "destroy", cause: `${why}: everything it owns is removed` });
}

const REMOVALS: Readonly<Record<string, string>> = {
  Closed: "The pull request was closed",
  Merged: "The pull request was merged",
  Removed: "Somebody took it down",
  Expired: "Its time is over",
};

/** Since when it waited: for its first turn, or with a push. */
function queuedAt({ status, lastPushAt }: Preview, spec: PreviewSpec, now: string): string | undefined {
  const since = status.reason === "Queued" ? status.since : pushed(status.live, spec) ? lastPushAt : undefined;
  return since !== undefined && Date.parse(now) - Date.parse(since) < QUEUED_MAX_MS ? since : undefined;
}

function pushed(live: PreviewSpec | undefined, spec: PreviewSpec): boolean {
  return live !== undefined && live.source.commit !== spec.source.commit;
}

function watch(store: Pick<DeploymentStore, "onDeployment">, id: string) {
  let changed = new AbortController();
  const stop = store.onDeployment((which) => {
    if (which === id) changed.abort();
  });
  return {
    stop,
    reset: () => {
      if (changed.signal.aborted) changed = new AbortController();
    },
    async next(signal: AbortSignal): Promise<void> {
      const either = AbortSignal.any([changed.signal, signal]);
      if (!either.aborted) await delay(LOOK_AGAIN_MS, undefined, { signal: either }).catch(() => undefined);
    },
  };
}
