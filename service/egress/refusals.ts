/** Calls of previews that were refused: counted by where they went and why, listed, and kept within bounds. */

export type RefusedWhy = "unlisted" | "address" | "serverName" | "protocol" | "unreadable" | "busy" | "direct";

export interface RefusedCall {
  /** As the preview asked for it, made plain: letters, digits, dots, dashes and colons. */
  readonly host: string;
  readonly port?: number;
  readonly why: RefusedWhy;
  readonly count: number;
  /** ISO 8601 */
  readonly firstAt: string;
  /** ISO 8601 */
  readonly lastAt: string;
}

export type NewRefusal = Pick<RefusedCall, "host" | "port" | "why"> & {
  /** More than once. */ readonly times?: number;
};

/** Entries of one preview. It chooses the hosts, so it must not choose how many. */
const KEPT = 50;

/** With one more; the one that was not met for longest makes room. Latest first. */
export function withRefusal(
  known: readonly RefusedCall[],
  { times = 1, ...refusal }: NewRefusal,
  at: string,
): readonly RefusedCall[] {
  const host = plainHost(refusal.host);
  const isSame = (one: RefusedCall) => one.host === host && one.port === refusal.port && one.why === refusal.why;
  const before = known.find(isSame);
  const now = { ...refusal, host, count: (before?.count ?? 0) + times, firstAt: before?.firstAt ?? at, lastAt: at };
  return [now, ...known.filter((one) => !isSame(one))].slice(0, KEPT);
}

/** In a person's words, for logs and for whoever made the call. */
export function refusalWords({ host, port, why }: NewRefusal): string {
  const where = port === undefined ? plainHost(host) : `${plainHost(host)}:${port}`;
  return `calling "${where}": ${WORDS[why]}`;
}

/** Without the host. */
export function whyRefused({ why }: Pick<NewRefusal, "why">): string {
  return WORDS[why];
}

const WORDS: Readonly<Record<RefusedWhy, string>> = {
  unlisted: 'previews may call named hosts only, and this one is not; name it under "hosts" of an entry of "external"',
  address: "it leads to no public address; only the operator may name hosts inside of networks",
  serverName: "the TLS handshake names another host than the one that was asked for",
  protocol: "what was sent is neither TLS nor HTTP",
  unreadable: "it is no host and port",
  direct: "it did not ask the egress proxy (HTTPS_PROXY), past which nothing leads out",
  busy: "this preview has too many connections open",
};

const LONGEST = 100;

/** What a preview sends could be anything, and is shown to people. */
function plainHost(host: string): string {
  return host.replace(/[^A-Za-z0-9._:[\]-]/g, "?").slice(0, LONGEST);
}
