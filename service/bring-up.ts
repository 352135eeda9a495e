/** Brings one version up: the source, what its database is made of, then Pulumi. */
import { isAbsolute } from "node:path";
import { canonical } from "../infra/canonical.ts";
import { repositoriesOf } from "../infra/linked.ts";
import { type PreviewSpec, specDigest } from "../infra/spec.ts";
import type { ActuateDeps, Actuation } from "./actuate.ts";
import { SERVES } from "./conditions.ts";
import { renewedInTime } from "./credentials.ts";
import { needsRefresh } from "./decide.ts";
import { CHECKING } from "./gates/outcome.ts";
import { costedOf } from "./money/hourly.ts";
import { describeProgress, whenRouted } from "./progress.ts";
import { servedLast, servedWith } from "./rollback.ts";
import type { Preview, PreviewStatus } from "./status.ts";

/** `signal` ends it before its time. */
type BringUp = Actuation & { readonly signal: AbortSignal };

/** Resolves with what its status says then; rejects where it failed, the version before serving on. */
export async function bringUp(deps: ActuateDeps, wanted: BringUp): Promise<Partial<PreviewStatus>> {
  const { preview, spec, step, log, signal } = wanted;
  if (!spec) throw new Error(`bringing up "${preview.key}": there is no spec`);
  const marked = await step("mark", () => deps.store.setStatus(preview.key, buildingOf(preview, spec)));
  // Said while the engine works: the link must not wait for the forge.
  const announced = marked && deps.announce(marked);
  await fetchSource(deps, wanted, spec);
  const say = (message: string) => {
    log?.say(message);
    showProgress(deps, preview.key, message);
  };
  await deps.prepareDatabase?.(spec, { live: preview.status.live, say, signal });
  const refresh = needsRefresh(preview.status);
  const outputs = await runUpdate(deps, wanted, { spec, refresh });
  await announced;
  return {
    ...(refresh ? await endDrift(deps, preview) : {}),
    ...(spec.checks ? CHECKING : SERVES),
    // What is to be checked counts as good only then; what was good before serves again from now on.
    served: spec.checks
      ? preview.status.served && servedLast(preview.status.served, spec.source.commit)
      : servedWith(preview.status, spec, { outputs, now: deps.now() }),
    live: spec,
    expected: undefined,
    outputs,
    attempted: { digest: specDigest(spec), ok: true, terminal: false, failures: 0, at: deps.now() },
    interrupted: false,
    awake: true,
    failed: undefined,
    checks: undefined,
    // Asked for in the next round: an update may have made another.
    credential: undefined,
  };
}

function buildingOf({ status }: Preview, spec: PreviewSpec): Partial<PreviewStatus> {
  const { source, target } = spec;
  return {
    condition: "Reconciling",
    reason: status.live ? "Updating" : "Provisioning",
    message: `Building commit ${source.commit.slice(0, 7)}.`,
    excerpt: [],
    stackExists: true,
    interrupted: true,
    ...builtOn(status, target),
    ...(status.live ? {} : { expected: costedOf(spec) }),
  };
}

async function fetchSource(deps: ActuateDeps, { step, log }: BringUp, spec: PreviewSpec): Promise<void> {
  // Images are found before the lease is taken; there is nothing to check out for them.
  if (spec.images) return;
  const fetched = step("source", () => deps.prepareSource(spec));
  log?.stage("source", `Fetching commit ${spec.source.commit.slice(0, 12)}`);
  // What lies on this machine the checkout fetches by itself where this is late or fails: the engine starts meanwhile.
  if (repositoriesOf(spec).every(isAbsolute)) fetched.catch(() => {});
  else await fetched;
}

async function runUpdate(
  deps: ActuateDeps,
  { preview, lease, step, interrupt, log }: BringUp,
  { spec, refresh }: { readonly spec: PreviewSpec; readonly refresh: boolean },
) {
  const tell = describeProgress((message) => showProgress(deps, preview.key, message));
  const route = whenRouted(Object.keys(spec.urls).length, () => openDoor(deps, preview.key, spec));
  // Migrations log in by what an earlier run made, which may have been long ago.
  await renewedInTime(deps, { ...preview, status: { ...preview.status, live: preview.status.live ?? spec } });
  const secrets = await deps.resolveSecrets(spec);
  log?.hide(Object.values(secrets));
  log?.say("Pulumi begins: it compares what exists with what should");
  const { outputs } = await step("up", () =>
    deps.stacks.up({
      spec,
      secrets,
      refresh,
      mayBeNew: !preview.status.live,
      lease,
      ...(interrupt ? { interrupt } : {}),
      onEvent: (event) => {
        tell(event);
        route(event);
        log?.event(event);
      },
      ...(log ? { onOutput: log.output } : {}),
    }),
  );
  return outputs;
}

/** An update that looked at the world first made all of it as it should be. */
async function endDrift({ store, now }: ActuateDeps, { key, status }: Preview): Promise<Partial<PreviewStatus>> {
  const { drift } = status;
  if (!drift) return {};
  const at = now();
  if (drift.differences.length > 0) {
    const message = `Put right: ${drift.differences.map(({ message }) => message).join("; ")}.`;
    await store.record({ key, at, reason: "DriftRepaired", message });
  }
  return { drift: { at, differences: [] } };
}

/** Of a preview that exists already and whose targets are not known, they stay unknown. */
function builtOn({ stackExists, builtOn = [] }: PreviewStatus, target: PreviewSpec["target"]): Partial<PreviewStatus> {
  if (stackExists && builtOn.length === 0) return {};
  const others = builtOn.filter((other) => canonical(other) !== canonical(target));
  return { builtOn: [...others, target] };
}

/** Not awaited: it may come late or never, and then must not overwrite what the run came to. */
function showProgress({ store }: ActuateDeps, key: string, message: string): void {
  store
    .update(key, ({ status }) =>
      status.interrupted && status.condition === "Reconciling" ? { status: { ...status, message } } : {},
    )
    .catch(() => {});
}

/** A first version is reached as soon as it is routed; not awaited, for the run's end says the same again. */
function openDoor({ store }: ActuateDeps, key: string, spec: PreviewSpec): void {
  store
    .update(key, ({ status }) =>
      status.interrupted && status.condition === "Reconciling" && !status.live
        ? { status: { ...status, live: spec, awake: true } }
        : {},
    )
    .catch(() => {});
}
