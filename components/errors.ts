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
