/**
 * What a person may be told about a failure, kept apart from what only the log may hold.
 *
 * `reason` is a CamelCase word for machines (a condition's reason), `userMessage` one sentence that
 * names the action and quotes the values and never holds a secret; `cause` is for the log only.
 */
export interface ErrorDetails {
  readonly reason: string;
  readonly userMessage: string;
  readonly cause?: unknown;
  /** Up to 20 already redacted lines of output that explain the failure. */
  readonly excerpt?: readonly string[];
}

/** A failure that may pass by itself: it is tried again with backoff. */
export class StacklingError extends Error {
  readonly reason: string;
  readonly userMessage: string;
  readonly excerpt: readonly string[];

  constructor({ reason, userMessage, cause, excerpt = [] }: ErrorDetails) {
    super(userMessage, { cause });
    this.name = new.target.name;
    this.reason = reason;
    this.userMessage = userMessage;
    this.excerpt = excerpt;
  }
}

/** Trying again changes nothing: it waits for new inputs (a push, a new config, a person). */
export class TerminalError extends StacklingError {}

/** Somebody else is at it (a person's own `pulumi up`, another replica): looked at again soon. */
export class ConflictError extends StacklingError {}

/** Everything wrong with one config file, at once. */
export class ConfigError extends TerminalError {
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[]) {
    const lines = problems.map((p) => `${file}${p.line ? `:${p.line}` : ""}: ${p.message}`);
    super({ reason: "ConfigInvalid", userMessage: lines.join("\n") });
    this.problems = problems;
  }
}

export interface ConfigProblem {
  /** 1-based line in the file, absent where the problem has no place of its own. */
  readonly line?: number;
  /** Dotted path of the value, such as `services.web.port`; empty for the whole file. */
  readonly path: string;
  readonly message: string;
}

/** A webhook delivery that is refused and never stored. */
export class RejectedDeliveryError extends StacklingError {
  readonly status: 400 | 401 | 413 | 415 | 503;

  constructor(status: RejectedDeliveryError["status"], details: ErrorDetails) {
    super(details);
    this.status = status;
  }
}

/**
 * An error as the last line of a provider's message, so that reason and excerpt survive the engine,
 * which carries nothing but text: `stackling-error: <base64url JSON>`. `cause` stays behind.
 */
export function encodeForEngine(error: StacklingError): string {
  const kind = error instanceof TerminalError ? "terminal" : error instanceof ConflictError ? "conflict" : "retryable";
  const { reason, userMessage, excerpt } = error;
  const line = Buffer.from(JSON.stringify({ reason, userMessage, excerpt, kind })).toString("base64url");
  return `${userMessage}\n${ENGINE_MARK}${line}`;
}

/**
 * Does what a program's own Output or hook does, so that a failure keeps its reason: a `StacklingError` is
 * thrown on as an `Error` whose text `decodeFromEngine` reads.
 */
export async function toldToEngine<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StacklingError)) throw error;
    throw new Error(encodeForEngine(error));
  }
}

/** The first error that `encodeForEngine` wrote into a text; undefined when there is none. */
export function decodeFromEngine(text: string): StacklingError | undefined {
  const match = /stackling-error: ([A-Za-z0-9_-]+)/.exec(text);
  if (!match?.[1]) return undefined;
  try {
    const carried: unknown = JSON.parse(Buffer.from(match[1], "base64url").toString());
    return isCarried(carried) ? new CLASSES[carried.kind](carried) : undefined;
  } catch {
    return undefined;
  }
}

const ENGINE_MARK = "stackling-error: ";

const CLASSES = { terminal: TerminalError, conflict: ConflictError, retryable: StacklingError } as const;

interface Carried extends ErrorDetails {
  readonly kind: keyof typeof CLASSES;
}

function isCarried(value: unknown): value is Carried {
  if (typeof value !== "object" || value === null) return false;
  const { reason, userMessage, excerpt, kind } = value as Partial<Record<keyof Carried, unknown>>;
  return (
    typeof reason === "string" &&
    typeof userMessage === "string" &&
    Array.isArray(excerpt) &&
    excerpt.every((line) => typeof line === "string") &&
    typeof kind === "string" &&
    kind in CLASSES
  );
}
