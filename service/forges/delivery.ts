/** What is the same of every forge's deliveries before and after their signature is checked. */
import { StringDecoder } from "node:string_decoder";
import { RejectedDeliveryError } from "../../components/errors.ts";
import type { VerifiedDelivery } from "./forge.ts";

const PIECE_BYTES = 512 * 1024;

export type Reject = (status: RejectedDeliveryError["status"], reason: string, why: string) => RejectedDeliveryError;

/** Makes the errors of one forge, `server` as people call it. */
export function rejecting(server: string): Reject {
  return (status, reason, why) =>
    new RejectedDeliveryError(status, { reason, userMessage: `checking a delivery from ${server}: ${why}` });
}

/**
 * In pieces, which lie in V8's heap and go back to the system with it; a long text in one piece would be
 * `malloc`ed, and glibc keeps some of that.
 */
export function textOf(body: Buffer): string {
  const decoder = new StringDecoder("utf8");
  let text = "";
  for (let at = 0; at < body.length; at += PIECE_BYTES) text += decoder.write(body.subarray(at, at + PIECE_BYTES));
  return text + decoder.end();
}

/** Throws `RejectedDeliveryError` 415 for another content type. */
export function requireJsonType(contentType: string | undefined, rejected: Reject): void {
  if (/^application\/json\s*(;|$)/i.test(contentType ?? "")) return;
  throw rejected(415, "DeliveryTypeWrong", 'the content type is not "application/json"');
}

export function parseJson(text: string, rejected: Reject): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw rejected(400, "DeliveryNotJson", "the body is not JSON");
  }
}

/** What a push tells, `ref` as git has it. Of other branches only a stage wants to know: pull requests tell of theirs. */
export function pushed({
  repositoryPath,
  ref,
  defaultBranch,
}: {
  readonly repositoryPath: string;
  readonly ref: string;
  readonly defaultBranch: string | null | undefined;
}): Pick<VerifiedDelivery, "pushedTo" | "pushedBranch"> {
  const [, gitBranch] = /^refs\/heads\/(.+)$/.exec(ref) ?? [];
  if (gitBranch === undefined) return {};
  return gitBranch === defaultBranch ? { pushedTo: repositoryPath } : { pushedBranch: { repositoryPath, gitBranch } };
}
