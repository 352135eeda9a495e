/**
 * When state backend or disk are away, in our words. The texts are those of Go's errors (`syscall`, gocloud.dev
 * `blob`) and of the engine's backends (pkg/backend/diy, pkg/backend/httpstate of Pulumi 3.259).
 */
import { StacklingError } from "../components/errors.ts";

const NO_SPACE = /no space left on device|disk quota exceeded|\bENOSPC\b|\bEDQUOT\b/i;
const READ_ONLY = /read-only file system|\bEROFS\b/i;
const BACKEND =
  /unable to open (?:state|bucket)|\b(?:read|write|copy|delete) "?\.pulumi\/|blob \((?:key|code)|failed to ping PostgreSQL|performing HTTP request|^error: \[(?:401|403|5\d\d)\]|\b(?:EIO|ESTALE|ENOTCONN|EHOSTDOWN)\b/im;
const REFUSED = /StatusCode: 40[13]|\[40[13]\]|AccessDenied|InvalidAccessKeyId|password authentication failed/;

/** True where some program, ours or a build's, says that it could not write for lack of room. */
export function saysDiskFull(text: string): boolean {
  return NO_SPACE.test(text);
}

/** The outage that a failed run tells of; undefined when it is none. `doing` begins the message. */
export function outageIn(text: string, doing: string, cause?: unknown): StacklingError | undefined {
  const error = (reason: string, words: string) =>
    new StacklingError({ reason, userMessage: `${doing}: ${words}`, cause: cause ?? new Error(text) });
  if (saysDiskFull(text)) return error("DiskFull", "there is no room left on the disk");
  if (READ_ONLY.test(text)) return error("DiskReadOnly", "the disk cannot be written");
  if (!BACKEND.test(text)) return undefined;
  return error("BackendUnavailable", `the state backend ${REFUSED.test(text) ? "refuses us" : "does not answer"}`);
}
