/** Errors of the API as `application/problem+json` (RFC 9457). Pure. */
import { STATUS_CODES } from "node:http";
import { z } from "zod";
import {
  ConfigError,
  ConflictError,
  RejectedDeliveryError,
  StacklingError,
  TerminalError,
} from "../../components/errors.ts";
import { plainError } from "./streams.ts";

export const PROBLEM_TYPE = "application/problem+json";

export const problemSchema = z
  .strictObject({
    type: z.literal("about:blank").describe("`title` says the kind: it is that of `status`."),
    title: z.string().describe("What the status is called."),
    status: z.int().describe("As in the answer's first line."),
    detail: z.string().describe("What was tried and why it was not done, for people."),
    reason: z.string().describe("The same for programs: `NoSuchPreview`, `StackLocked`, …"),
    errors: z
      .array(z.strictObject({ path: z.string().describe("A JSON pointer."), message: z.string() }))
      .optional()
      .describe("What is wrong with the request, one by one."),
  })
  .meta({ id: "Problem" });
export type Problem = z.infer<typeof problemSchema>;

/** Reason of what somebody has no right to. */
export const FORBIDDEN = "Forbidden";

/** What the caller did wrong, with the status that says so. */
export class Refused extends TerminalError {
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, reason: string, userMessage: string, retryAfterSeconds?: number) {
    super({ reason, userMessage });
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export class NotFound extends Refused {
  constructor(userMessage: string) {
    super(404, "NotFound", userMessage);
  }
}

export function problemOf(error: unknown): Problem {
  if (error instanceof z.ZodError) {
    const errors = error.issues.map(({ path, message }) => ({ path: pointerOf(path), message }));
    return { ...problem(400, "BadRequest", z.prettifyError(error)), errors };
  }
  const { reason, message } = plainError(error);
  const isBroken = !(error instanceof StacklingError) && clientError(error) !== undefined;
  if (isBroken)
    return problem(statusOf(error), "BadRequest", "reading the request: it is no valid JSON of at most 64 KB");
  return problem(statusOf(error), reason, message);
}

function statusOf(error: unknown): number {
  if (error instanceof Refused || error instanceof RejectedDeliveryError) return error.status;
  if (error instanceof TerminalError && isMissing(error.reason)) return 404;
  if (error instanceof ConfigError || error instanceof TerminalError) return 422;
  if (error instanceof ConflictError) return 409;
  if (error instanceof StacklingError) return 503;
  return clientError(error) ?? 500;
}

function isMissing(reason: string): boolean {
  return reason === "NoSuchPreview" || reason === "NoSuchToken";
}

function problem(status: number, reason: string, detail: string): Problem {
  return { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, detail, reason };
}

/** RFC 6901. */
function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** Express marks what the client did wrong (broken JSON, bad escapes in the path) with a 4xx of its own. */
export function clientError(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("status" in error) || typeof error.status !== "number") return undefined;
  return error.status >= 400 && error.status < 500 ? error.status : undefined;
}
