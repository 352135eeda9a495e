/** The action "check": carries out what the version that serves must pass, and writes down what came of it. */
import { ConflictError, StacklingError } from "../../components/errors.ts";
import { redact } from "../../components/local/redact.ts";
import type { GateOf } from "../../infra/checks.ts";
import type { PreviewSpec } from "../../infra/spec.ts";
import type { ActuateDeps, Actuation } from "../actuate.ts";
import { isGroundOutage, needsRefresh } from "../decide.ts";
import type { PreviewStatus } from "../status.ts";
import { afterChecks, CHECKING } from "./outcome.ts";
import { type CommandRun, runChecks } from "./run.ts";

type CheckDeps = Pick<ActuateDeps, "store" | "stacks" | "world" | "config" | "resolveSecrets" | "tracing" | "now">;
type Checking = Pick<Actuation, "preview" | "lease" | "interrupt"> & { readonly signal: AbortSignal };

/** Failures of what the run stands on, which say nothing about the gate. */
const OUTAGES: ReadonlySet<string> = new Set([
  ...["EngineInterrupted", "PluginMissing", "Closing", "TargetUnreachable", "NamespaceTerminating"],
]);

/** Resolves once results and what follows from them are written; rejects where they could not be had. */
export async function check(deps: CheckDeps, checking: Checking): Promise<void> {
  const { preview, signal } = checking;
  const { live } = preview.status;
  if (!live?.checks) return;
  const { commit } = live.source;
  await deps.store.setStatus(preview.key, CHECKING);
  const results = await runChecks(
    { ...deps, runCommand: (gate) => runCommand(deps, checking, live, gate) },
    { spec: live, checks: live.checks, signal, say: (message) => showProgress(deps, preview.key, message) },
  ).catch((cause: unknown) => {
    if (cause instanceof StacklingError || !signal.aborted) throw cause;
    const userMessage = `checking "${preview.key}": it was broken off`;
    throw new StacklingError({ reason: "EngineInterrupted", userMessage, cause });
  });
  const at = deps.now();
  const after = await deps.store.update(preview.key, (now) => afterChecks(now, results, { now: at }));
  const { failedChecks } = after?.status ?? {};
  // Of another commit it stood before.
  if (failedChecks?.commit !== commit || failedChecks.wentBackTo === undefined) return;
  const { wentBackTo: headSha, message: why } = failedChecks;
  const message = `${why}. "${headSha.slice(0, 7)}" comes back in place of "${commit.slice(0, 7)}".`;
  await deps.store.record({ key: preview.key, at, reason: "RolledBack", message, headSha });
}

/** By an update of the same version with one task more, which runs as migrations do. */
async function runCommand(
  deps: CheckDeps,
  { preview, lease, interrupt }: Checking,
  live: PreviewSpec,
  { command, directory, timeoutSeconds }: GateOf<"command">,
): Promise<CommandRun> {
  const { key } = preview;
  const refresh = needsRefresh(preview.status);
  const gate = { command, directory, timeoutSeconds, run: Date.parse(deps.now()) };
  // Killed in it, the next run looks at the world first.
  await markCutShort(deps, key, true);
  try {
    const secrets = await deps.resolveSecrets(live);
    const spec = { ...live, gate };
    await deps.stacks.up({ spec, secrets, refresh, mayBeNew: false, lease, ...(interrupt ? { interrupt } : {}) });
  } catch (error) {
    if (!(error instanceof StacklingError) || isOutage(error)) throw error;
    if (error.reason !== "EngineTimedOut") await markCutShort(deps, key, false);
    const excerpt = error.excerpt.map((line) => redact(line));
    return { ok: false, text: error.userMessage, ...(excerpt.length > 0 ? { excerpt } : {}) };
  }
  await markCutShort(deps, key, false);
  return { ok: true, text: "it succeeded" };
}

function isOutage(error: StacklingError): boolean {
  return error instanceof ConflictError || isGroundOutage(error.reason) || OUTAGES.has(error.reason);
}

async function markCutShort({ store }: CheckDeps, key: string, cut: boolean): Promise<void> {
  await store.update(key, ({ status }) => {
    if (!status.attempted) return {};
    const { cutShort: _before, ...attempted } = status.attempted;
    const marked: PreviewStatus["attempted"] = cut ? { ...attempted, cutShort: true } : attempted;
    return { status: { ...status, attempted: marked } };
  });
}

/** Not awaited: it may come late or never, and then must not overwrite what came of it. */
function showProgress({ store }: CheckDeps, key: string, message: string): void {
  store
    .update(key, ({ status }) =>
      status.reason === CHECKING.reason && status.checks === undefined ? { status: { ...status, message } } : {},
    )
    .catch(() => {});
}
