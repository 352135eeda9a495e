/** Carries out the checks of what serves: smoke tests one after the other, then gates, within bounds. */
import { setTimeout as pause } from "node:timers/promises";
import { redact } from "../../components/local/redact.ts";
import type { ChecksSpec, Gate, GateOf, SmokeTest } from "../../infra/checks.ts";
import { mainUrlOf } from "../../infra/names.ts";
import type { PreviewSpec } from "../../infra/spec.ts";
import { defaultChecks } from "../config/defaults.ts";
import type { OperatorConfig } from "../config/types.ts";
import type { Tracing } from "../tracing/tracing.ts";
import type { Place, World } from "../world.ts";
import { ask } from "./http.ts";
import { measuredWords, measurePage, overBudget } from "./page-speed.ts";
import { queryShare } from "./prometheus.ts";
import { filledQuery, judgeShare } from "./query.ts";
import { type CheckKind, type CheckResult, failedOne, progressWords } from "./results.ts";
import { faultOf } from "./smoke.ts";

/** Between tries of one request. */
const PAUSE_MS = { first: 250, most: 2_000 };
/** Of an answer that a test looks into. */
const BODY_BYTES = 1024 * 1024;
const TEXT_MAX = 400;

/** What became of a command: its words, and its last lines. */
export type CommandRun = Pick<CheckResult, "ok" | "text" | "excerpt">;

export interface RunDeps {
  readonly world: Pick<World, "address">;
  readonly config: Pick<OperatorConfig, "prometheus" | "limits">;
  /** Rejects where it could not be carried out. */
  readonly runCommand: (gate: GateOf<"command">) => Promise<CommandRun>;
  /** Absent: no traces are made. */
  readonly tracing?: Pick<Tracing, "span">;
}

export interface Running {
  readonly spec: PreviewSpec;
  readonly checks: ChecksSpec;
  /** Ends all of it, without results. */
  readonly signal: AbortSignal;
  readonly say: (message: string) => void;
}

/**
 * Results in their order. All smoke tests are carried out; gates only where those that are required passed. Rejects
 * when the signal aborts, and where a command could not be carried out.
 */
export async function runChecks(deps: RunDeps, running: Running): Promise<CheckResult[]> {
  const { checks, say, signal } = running;
  const limitSeconds = deps.config.limits.checksForSeconds ?? defaultChecks.forSeconds;
  const over = AbortSignal.timeout(limitSeconds * 1000);
  const bounded = { ...running, signal: AbortSignal.any([signal, over]) };
  const results: CheckResult[] = [];
  const add = async (kind: CheckKind, { name, required }: SmokeTest | Gate, work: () => Promise<CommandRun>) => {
    say(progressWords(checks, results.length));
    const began = performance.now();
    const found = await spanned(deps, { kind, name }, work).catch((error: unknown): CommandRun => {
      signal.throwIfAborted();
      if (!over.aborted) throw error;
      return { ok: false, text: `the time for all checks was over, ${limitSeconds} s` };
    });
    const ms = Math.round(performance.now() - began);
    results.push({ name, kind, required, ...found, text: shown(found.text), ms });
  };
  for (const test of checks.smoke) await add("smoke", test, () => tryRequest(deps, bounded, test));
  if (failedOne(results)) return results;
  for (const gate of checks.gates) await add(gate.kind, gate, () => passGate(deps, bounded, gate));
  return results;
}

function spanned(
  { tracing }: RunDeps,
  { kind, name }: Pick<CheckResult, "kind" | "name">,
  work: () => Promise<CommandRun>,
): Promise<CommandRun> {
  if (!tracing) return work();
  return tracing.span({ name: `check ${kind}`, attributes: { "stackling.check": name } }, async (span) => {
    const found = await work();
    span?.set({ "stackling.outcome": found.ok ? "passed" : "failed" });
    return found;
  });
}

function passGate(deps: RunDeps, running: Running, gate: Gate): Promise<CommandRun> {
  // Ended by its own timeout; in the middle it would leave the engine's work undone.
  if (gate.kind === "command") return running.signal.aborted ? aborted(running) : deps.runCommand(gate);
  if (gate.kind === "http") return tryRequest(deps, running, gate);
  return gate.kind === "errorRate" ? passErrorRate(deps, running, gate) : passPageSpeed(deps, running, gate);
}

async function aborted({ signal }: Running): Promise<never> {
  throw signal.reason;
}

/** Again and again until it is right or the time is over. */
async function tryRequest(
  deps: RunDeps,
  { spec, signal }: Running,
  test: SmokeTest | GateOf<"http">,
): Promise<CommandRun> {
  const url = urlOf(spec, test.service);
  const until = performance.now() + test.withinSeconds * 1000;
  for (let round = 0; ; round += 1) {
    const { fault, words } = await tryOnce(deps, { spec, signal, url, test });
    if (fault === undefined) return { ok: true, text: words };
    const pauseMs = Math.min(PAUSE_MS.first * 2 ** round, PAUSE_MS.most);
    if (performance.now() + pauseMs >= until) return { ok: false, text: `${fault}${timesWords(round + 1)}` };
    await pause(pauseMs, undefined, { signal });
  }
}

async function tryOnce(
  deps: RunDeps,
  {
    spec,
    signal,
    url,
    test,
  }: Pick<Running, "spec" | "signal"> & {
    readonly url: string;
    readonly test: SmokeTest | GateOf<"http">;
  },
): Promise<{ readonly fault?: string; readonly words: string }> {
  const place = await placeOf(deps, spec, test.service);
  if (!place) return { fault: "it has no address", words: "" };
  try {
    const answer = await ask(place, {
      ...test,
      url,
      ...(test.send === undefined ? {} : { body: JSON.stringify(test.send) }),
      timeoutMs: test.timeoutSeconds * 1000,
      bodyBytes: BODY_BYTES,
      signal,
    });
    const fault = faultOf(test, answer);
    const words = `it answered ${answer.status} after ${Math.round(answer.firstByteMs)} ms`;
    return fault === undefined ? { words } : { fault, words };
  } catch (error) {
    signal.throwIfAborted();
    return { fault: messageOf(error), words: "" };
  }
}

async function passPageSpeed(deps: RunDeps, { spec, signal }: Running, gate: GateOf<"pageSpeed">): Promise<CommandRun> {
  const place = await placeOf(deps, spec, gate.service);
  if (!place) return { ok: false, text: "it has no address" };
  try {
    const found = await measurePage(place, { url: urlOf(spec, gate.service), path: gate.path, signal });
    const over = overBudget(gate, found);
    return over === undefined ? { ok: true, text: measuredWords(found) } : { ok: false, text: over };
  } catch (error) {
    signal.throwIfAborted();
    return { ok: false, text: messageOf(error) };
  }
}

async function passErrorRate(
  { config: { prometheus = {} } }: RunDeps,
  { spec, signal }: Running,
  gate: GateOf<"errorRate">,
): Promise<CommandRun> {
  const servers = Object.entries(prometheus);
  const found = servers.find(([name]) => (gate.from === undefined ? servers.length === 1 : name === gate.from));
  if (!found) {
    const known =
      servers.length === 0
        ? "the operator names none"
        : `choose "from" of "${servers.map(([name]) => name).join('", "')}"`;
    const wanted =
      gate.from === undefined ? "no Prometheus server is chosen" : `there is no Prometheus server "${gate.from}"`;
    return { ok: false, text: `${wanted}: ${known}` };
  }
  await pause(gate.afterSeconds * 1000, undefined, { signal });
  const { key, stack, source } = spec;
  const facts = { key, stack, host: new URL(urlOf(spec, undefined)).host, commit: source.commit };
  try {
    return judgeShare(gate, await queryShare(found[1], filledQuery(gate, facts), { signal }));
  } catch (error) {
    signal.throwIfAborted();
    return { ok: false, text: messageOf(error) };
  }
}

function placeOf({ world }: RunDeps, spec: PreviewSpec, service: string | undefined): Promise<Place | undefined> {
  const asked = service ?? mainServiceOf(spec);
  return asked === undefined ? Promise.resolve(undefined) : world.address(spec.target, spec.stack, asked);
}

function urlOf(spec: PreviewSpec, service: string | undefined): string {
  const own = service === undefined ? undefined : spec.urls[service];
  return own ?? mainUrlOf(spec.key, spec.urls) ?? "http://preview.invalid";
}

function mainServiceOf({ key, urls }: PreviewSpec): string | undefined {
  const main = mainUrlOf(key, urls);
  return Object.keys(urls).find((name) => urls[name] === main);
}

function timesWords(tries: number): string {
  return tries === 1 ? "" : `, at the last of ${tries} tries`;
}

/** Ours are the rest of a sentence; nobody else's words are told. */
function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "it failed";
}

function shown(text: string): string {
  const safe = redact(text.replace(/\s+/g, " ").trim());
  return safe.length <= TEXT_MAX ? safe : `${safe.slice(0, TEXT_MAX)}…`;
}
