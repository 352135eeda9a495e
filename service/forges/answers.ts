/** What a forge's answer is worth: all of it as expected, or nothing. */
import { z } from "zod";
import { StacklingError } from "../../components/errors.ts";
import type { PullRequestRead } from "./forge.ts";

/** The read, or `unreachable` with the words of what failed (see `PullRequestRead`). Other errors are passed on. */
export async function unlessUnreachable<T>(
  read: () => Promise<T>,
): Promise<T | { kind: "unreachable"; message: string }> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof StacklingError) return { kind: "unreachable", message: error.userMessage };
    throw error;
  }
}

/** The request that failed is left out of the cause: it holds the credential. */
export function unreachable(userMessage: string, error?: unknown): StacklingError {
  const cause = error instanceof Error ? `${error.name}: ${error.message}` : error && String(error);
  return new StacklingError({ reason: "Unreachable", userMessage, ...(cause ? { cause } : {}) });
}

export interface Asked {
  /** What was asked for, in words: `reading pull request 42`. */
  readonly action: string;
  /** As people call it. */
  readonly server: string;
}

export function noAnswer({ action, server }: Asked, error: unknown): StacklingError {
  const timedOut = error instanceof Error && /timeout|aborted/i.test(`${error.name} ${error.message}`);
  return unreachable(`${action}: ${server} ${timedOut ? "did not answer in time" : "cannot be reached"}`, error);
}

/** An answer that is no success, told by its status alone: a stranger's server's words do not belong in messages. */
export function refusal(
  { action, server, status, as }: Asked & { readonly status: number; readonly as: "token" | "credential" },
  error?: unknown,
): StacklingError {
  const meanings: Readonly<Record<number, string>> = {
    401: `the ${as} is not accepted`,
    403: `the ${as} has not the right, or a rate limit is reached`,
    404: `it does not exist, or the ${as} may not see it`,
    429: "a rate limit is reached",
  };
  const meaning = meanings[status];
  return unreachable(`${action}: ${server} answered ${status}${meaning ? ` (${meaning})` : ""}`, error);
}

/** A 404 to a pull request's number, where the repository itself can be seen. */
export function noSuchNumber(asked: Omit<Parameters<typeof refusal>[0], "status">): PullRequestRead {
  return { kind: "unreachable", message: refusal({ ...asked, status: 404 }).userMessage, missing: true };
}

/**
 * The answer in its shape. Throws `StacklingError` "Unreachable" for any other (a proxy's page, half an
 * answer), which says nothing about a pull request.
 */
export function parseAnswer<S extends z.ZodType>(schema: S, data: unknown, { action, server }: Asked): z.infer<S> {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw unreachable(`${action}: the answer is not ${server}'s`, z.prettifyError(parsed.error));
}
