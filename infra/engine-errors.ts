/** Engine failures in our words; the only place that matches the engine's text. Pure. */
import { ConflictError, decodeFromEngine, StacklingError, TerminalError } from "../components/errors.ts";
import { kubernetesFailure } from "../components/kubernetes/engine-words.ts";
import { outageIn } from "./engine-outages.ts";
import type { EngineExit } from "./engine-process.ts";

/** An engine process that did not end well. */
export class EngineFailure extends Error {
  readonly exit: EngineExit;

  constructor(args: readonly string[], exit: EngineExit) {
    super(`pulumi ${args[0] ?? ""} ended with ${exit.code ?? "a signal"}: ${exit.stderr.slice(-2000)}`);
    this.name = "EngineFailure";
    this.exit = exit;
  }
}

export interface LockHolder {
  readonly user: string;
  readonly host: string;
  readonly pid: number;
  /** ISO 8601 UTC */
  readonly since: string;
}

export function isStackMissing(failure: unknown): boolean {
  return failure instanceof EngineFailure && /no stack named .* found/.test(failure.exit.stderr);
}

export function isStackThere(failure: unknown): boolean {
  return failure instanceof EngineFailure && /stack .*already exists/.test(failure.exit.stderr);
}

/** Who holds the locks that stopped the engine; undefined when it was not a lock, empty when the backend does not say who. */
export function lockHolders(failure: unknown): readonly LockHolder[] | undefined {
  if (!(failure instanceof EngineFailure)) return undefined;
  const { stderr } = failure.exit;
  if (!/stack is currently locked by|another update is currently in progress/i.test(stderr)) return undefined;
  const lines = stderr.matchAll(/created by (.*)@(.*) \(pid (\d+)\) at (\S+)/g);
  return [...lines].map(([, user = "", host = "", pid = "", at = ""]) => ({
    user,
    host,
    pid: Number(pid),
    since: new Date(at).toISOString(),
  }));
}

/** `now` in milliseconds since the epoch. */
export function lockedError(stack: string, holders: readonly LockHolder[], now: number): ConflictError {
  const who = holders.map(
    ({ user, host, pid, since }) => `${user}@${host} (pid ${pid}) since ${since}, for ${age(now - Date.parse(since))}`,
  );
  const userMessage = `updating stack "${stack}": it is locked by ${who.join(" and ") || "another update"}`;
  return new ConflictError({ reason: "StackLocked", userMessage });
}

export interface FailureContext {
  readonly stack: string;
  /** What was being done, such as `updating`. */
  readonly action: string;
  /** Messages of error diagnostics, in order. */
  readonly diagnostics: readonly string[];
  /** Of mandatory policies, in words. */
  readonly violations?: readonly string[];
  /** Values that must not appear in what people see. */
  readonly secrets: readonly string[];
}

/** A provider's own error where there is one, else a short redacted `EngineFailed`; the engine's words only in `cause`. */
export function toStacklingError(failure: unknown, context: FailureContext): StacklingError {
  if (failure instanceof StacklingError) return failure;
  const { stack, action, diagnostics } = context;
  const exit = failure instanceof EngineFailure ? failure.exit : undefined;
  const told = [...diagnostics, exit?.stderr ?? "", failure instanceof Error ? failure.message : ""];
  const ours = told.map(decodeFromEngine).find((error) => error !== undefined);
  if (ours) return ours;
  const cause = new Error(redact(told.join("\n"), context.secrets));
  if (exit && (exit.interrupted || exit.code === undefined)) {
    const why = exit.interrupted ? `was stopped because ${exit.interrupted.why}` : "was killed";
    const userMessage = `${action} stack "${stack}": the engine ${why}`;
    if (exit.interrupted?.by !== "limit") return interruptedError(userMessage, cause);
    return new StacklingError({ reason: "EngineTimedOut", userMessage, cause });
  }
  // What the shell answers that starts it (sh(1), "Exit status"): the file is away, or no program of this machine.
  if (exit && (exit.code === 126 || exit.code === 127)) {
    const userMessage = `${action} stack "${stack}": the Pulumi engine cannot be run now`;
    return new StacklingError({ reason: "EngineFailed", userMessage, cause });
  }
  const [violation, ...more] = context.violations ?? [];
  if (violation) {
    const others = more.length > 0 ? `, and ${more.length} more` : "";
    const userMessage = redact(`${action} stack "${stack}": ${violation}${others}`, context.secrets);
    return new TerminalError({ reason: "PolicyViolation", userMessage, cause, excerpt: more.slice(0, 20) });
  }
  const plugin = missingPlugin(told.join("\n"));
  if (plugin) {
    const userMessage = `${action} stack "${stack}": the engine has no plugin "${plugin.name}" ${plugin.version} and could not download it; run \`${plugin.command}\` with PULUMI_HOME set to "pulumi-home" in the data folder`;
    return new StacklingError({ reason: "PluginMissing", userMessage, cause });
  }
  const outage = outageIn(told.join("\n"), `${action} stack "${stack}"`, cause);
  if (outage) return outage;
  const vendors = kubernetesFailure(`${action} stack "${stack}"`, told.join("\n"));
  if (vendors) return vendors;
  const summary = redact(firstLine(told), context.secrets);
  return new StacklingError({ reason: "EngineFailed", userMessage: `${action} stack "${stack}": ${summary}`, cause });
}

/** A provider's program that is not on this machine, in the engine's words for "not downloaded" and "not to be downloaded". */
function missingPlugin(text: string): { name: string; version: string; command: string } | undefined {
  const [, kind, name = "", version = ""] =
    /(?:install|no) (resource|analyzer) plugin 'pulumi-(?:resource|analyzer)-([\w-]+)'[^\n]*? at version (v[\w.+-]+)/.exec(
      text,
    ) ?? [];
  if (kind === undefined) return undefined;
  const [, told] = /using `(pulumi plugin install [^`\n]+)`/.exec(text) ?? [];
  return { name, version, command: told ?? `pulumi plugin install ${kind} ${name} ${version}` };
}

/** A kill or a wish cut the run short: the next one looks at the world first. */
export function interruptedError(userMessage: string, cause?: unknown): StacklingError {
  return new StacklingError({ reason: "EngineInterrupted", userMessage, cause });
}

function firstLine(texts: readonly string[]): string {
  const lines = texts.flatMap((text) => text.split("\n")).map((line) => line.replace(/^error:\s*/, "").trim());
  return (lines.find((line) => line !== "") ?? "the engine failed without a word").slice(0, 300);
}

/** Takes out given values and the credentials of URLs. */
function redact(text: string, secrets: readonly string[]): string {
  const longest = secrets.filter((value) => value !== "").sort((a, b) => b.length - a.length);
  const without = longest.reduce((rest, value) => rest.replaceAll(value, "[secret]"), text);
  return without.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, "$1[secret]@");
}

function age(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.max(0, Math.floor(ms / 1000))} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}
