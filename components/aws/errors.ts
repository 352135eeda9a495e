/** AWS' refusals in our words; the only place that matches its text. */
import { StacklingError, TerminalError } from "../errors.ts";

/**
 * The failure as people may see it: what was being done, and the permission, quota or credential that
 * lacks. AWS' own words hold account numbers and stay in `cause` where we have better ones.
 */
export function awsError(action: string, failure: unknown): StacklingError {
  if (failure instanceof StacklingError) return failure;
  const { name, message } = failure instanceof Error ? failure : { name: "", message: String(failure) };
  const told = (reason: string, words: string) => ({ reason, userMessage: `${action}: ${words}`, cause: failure });
  if (/^(AccessDenied|UnauthorizedOperation|Forbidden)/.test(name)) {
    const permission = deniedPermission(message);
    const words = permission ? `AWS does not allow us "${permission}"` : "AWS does not allow us to";
    return new TerminalError(told("TargetForbidden", words));
  }
  if (/^(Credentials|Token)ProviderError$/.test(name)) {
    return new StacklingError(told("TargetForbidden", "there are no credentials where the option `credentials` says"));
  }
  if (CREDENTIALS.test(name)) return new StacklingError(told("TargetForbidden", "AWS does not accept our credentials"));
  if (/^(Throttling|TooManyRequests|RequestLimitExceeded|PriorRequestNotComplete)/.test(name)) {
    return new StacklingError(told("TargetUnreachable", "AWS asks us to slow down"));
  }
  if (/LimitExceeded|QuotaExceeded|^TooMany/.test(name)) {
    return new StacklingError(told("QuotaExceeded", `a quota of the AWS account is used up (${name})`));
  }
  if (isUnreachable(failure)) return new StacklingError(told("TargetUnreachable", "AWS cannot be reached"));
  return new StacklingError(told("AwsFailed", `${name || "failed"}: ${publicWords(message)}`));
}

/** True for an answer that says "there is no such thing". */
export function isMissing(failure: unknown): boolean {
  return failure instanceof Error && /NotFound|NoSuch|NotActive/.test(failure.name);
}

/** What AWS says for a missing thing becomes `undefined`; every other failure speaks of `action`. */
export async function ask<T>(action: string, question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (failure) {
    throw awsError(action, failure);
  }
}

/** One line without account numbers, which stand in every ARN. */
export function publicWords(text: string): string {
  return text
    .replace(/\b\d{12}\b/g, "…")
    .replace(/\s+/g, " ")
    .slice(0, 240);
}

const CREDENTIALS =
  /^(UnrecognizedClient|InvalidClientTokenId|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidSignature|ExpiredToken|NotAuthorized)/;

function isUnreachable(failure: unknown): boolean {
  const code = failure instanceof Error && "code" in failure ? String(failure.code) : "";
  const name = failure instanceof Error ? failure.name : "";
  return /^E[A-Z]+$/.test(code) || /^(TimeoutError|NetworkingError)$/.test(name);
}

/** "… is not authorized to perform: ecs:RunTask on resource: …" */
function deniedPermission(message: string): string | undefined {
  return /perform:? ([a-z0-9-]+:[A-Za-z]+)/.exec(message)?.[1];
}
