/** Tells an install or build that failed by its own fault from one whose package registry was away: no push mends that. */
import { StacklingError, TerminalError } from "../errors.ts";

/** Of sockets and names, as Node.js and its package managers write them (Node.js documentation, "Errors"). */
const NETWORK =
  "(ECONNREFUSED|ECONNRESET|ECONNABORTED|EHOSTUNREACH|ENETDOWN|ENETUNREACH|ENOTFOUND|EAI_AGAIN|EAI_FAIL|ETIMEDOUT|ESOCKETTIMEDOUT|ERR_SOCKET_TIMEOUT|ERR_SOCKET_CLOSED_BEFORE_CONNECTION)";
/** Of curl, which cargo and Composer use: no such host, no connection, too late, or broken off (libcurl-errors(3)). */
const CURL = "(5|6|7|28|35|52|55|56)";

/**
 * The last words of package managers whose registry does not answer, or answers with a 5xx. Each is bound to the
 * form of its tool: a build that cannot reach a server of its own also says ECONNREFUSED. That a try failed is not
 * enough, for the next one may have succeeded. What npm 11, Corepack, pnpm 10, Yarn 1 and 4, Bun, pip 23, uv, go
 * and cargo say of a dead port, a nameless host and a 503 was taken from the tools; the rest is as their users
 * reported it, and Bundler's as its source has it.
 */
const SIGNS: readonly RegExp[] = [
  // npm, from 10 on and before
  new RegExp(`^npm (error|ERR!) code (E5\\d\\d|${NETWORK})$`, "m"),
  new RegExp(`^npm (error|ERR!)\\s+code: '${NETWORK}'`, "m"),
  // Corepack
  /^Error: Error when performing the request to https?:/m,
  // pnpm: metadata, then tarballs
  new RegExp(`ERR_PNPM_(FETCH_5\\d\\d|META_FETCH_FAIL\\s.*${NETWORK})`),
  new RegExp(`^\\s*${NETWORK}\\s+request to https?:`, "m"),
  // Yarn 1, then later ones
  new RegExp(`^error (Error: |An unexpected error occurred: ).*${NETWORK}`, "m"),
  /Request failed \\?"5\d\d /,
  new RegExp(`YN0001: .*${NETWORK}`),
  /YN0035: .*Response Code: 5\d\d/,
  // Bun
  /^error: (ConnectionRefused|ConnectionClosed|ConnectionReset|FailedToOpenSocket|Timeout|UnknownHostName) downloading /m,
  /^error: GET https?:\S+ - 5\d\d/m,
  // pip, which says nothing where its index answered 5xx
  /Retrying \(Retry\(total=0[\s\S]*No matching distribution found/,
  /^ERROR: (HTTP error 5\d\d while getting|Could not install packages due to an \w+Error: HTTPS?ConnectionPool)/m,
  /^pip\._vendor\.urllib3\.exceptions\.(ReadTimeoutError|ProtocolError)/m,
  // uv, Poetry
  /Failed to (fetch|download)[\s\S]*(error sending request for url|HTTP status server error)/,
  /All attempts to connect to \S+ failed\./,
  // go: of a module, or of an import of a file
  /^(go|\S+\.go:\d+:\d+): .*(Get "https?:\S+": (dial tcp|read tcp|EOF|net\/http: TLS handshake timeout|context deadline)|reading https?:\S+: 5\d\d )/m,
  // cargo
  new RegExp(`^Caused by:\\n\\s+\\[${CURL}\\] `, "m"),
  /^\s+failed to get successful HTTP response from `.*, got 5\d\d$/m,
  // Bundler
  /^(Could not reach host \S+\. Check your network|Network error while fetching) /m,
  // Composer
  new RegExp(`^(\\s+|\\s*Failed to download \\S+ from dist: )curl error ${CURL} while downloading`, "m"),
  /file could not be downloaded \(HTTP\/\S+ 5\d\d/,
];

/** True when these lines, the last that an install or build wrote, say that a package registry was away. */
export function tellsOfRegistryOutage(lines: readonly string[]): boolean {
  const text = lines.join("\n");
  return SIGNS.some((sign) => sign.test(text));
}

/** The failure itself; where a package registry was away, one of the same reason that is tried again. */
export function unlessRegistryAway(failure: unknown): unknown {
  if (!(failure instanceof TerminalError) || !tellsOfRegistryOutage(failure.excerpt)) return failure;
  const { reason, userMessage, excerpt } = failure;
  return new StacklingError({
    reason,
    userMessage: `${userMessage}; a package registry could not be reached`,
    excerpt,
    cause: failure,
  });
}
