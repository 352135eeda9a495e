/** Names of hosts that previews may call: as a person writes them, as a request spells them, and whether they fit. Pure. */
import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { getPublicSuffix } from "tldts";

/** What is allowed: a host and its ports. */
export interface HostRule {
  /** Lower case, ASCII, no dot at its end; IPv6 without brackets. */
  readonly host: string;
  /** Whatever lies below `host`, and not `host` itself. */
  readonly below: boolean;
  readonly ports: readonly number[];
}

/** Where a request wants to go. */
export interface Destination {
  /** As in `HostRule`. */
  readonly host: string;
  readonly port: number;
}

/** HTTP's own. */
const DEFAULT_PORTS = [443, 80];
const LABEL = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?";
const NAME = new RegExp(`^${LABEL}(\\.${LABEL})*$`);
const LONGEST = 253;

/**
 * `api.stripe.com`, `*.slack.com`, `search.acme.dev:9243`; with `addresses` also `10.0.0.5:8080` and `[fd00::1]:443`.
 * Undefined for anything else, such as `*`, `*.com` or an address with a path.
 */
export function parseHostRule(text: string, { addresses }: { readonly addresses: boolean }): HostRule | undefined {
  const below = text.startsWith("*.");
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/?#@[\]*]+))(?::([0-9]{1,5}))?$/.exec(below ? text.slice(2) : text);
  if (!parts) return undefined;
  const [, bracketed, named = "", typedPort] = parts;
  const ports = typedPort === undefined ? DEFAULT_PORTS : [Number(typedPort)];
  if (!ports.every(isPort)) return undefined;
  const host = bracketed === undefined ? normalName(domainToASCII(named)) : normalAddress(bracketed);
  if (host === undefined) return undefined;
  if (isIP(host) !== 0) return addresses && !below ? { host, below, ports } : undefined;
  if (below && isSuffix(host)) return undefined;
  return { host, below, ports };
}

/**
 * `host:port` of a CONNECT request, or of a Host header with its default port. Undefined for whatever two programs
 * could read differently: users before the host, numbers that some take for an address, letters outside of ASCII.
 */
export function readDestination(authority: string, defaultPort?: number): Destination | undefined {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9_.-]+))(?::([0-9]{1,5}))?$/.exec(authority);
  if (!parts) return undefined;
  const [, bracketed, named = "", typedPort] = parts;
  const port = typedPort === undefined ? defaultPort : Number(typedPort);
  const host = bracketed === undefined ? normalName(named) : normalAddress(bracketed);
  return host === undefined || port === undefined || !isPort(port) ? undefined : { host, port };
}

export function fits({ host, below, ports }: HostRule, wanted: Destination): boolean {
  if (!ports.includes(wanted.port)) return false;
  // What lies below an address is no address.
  return below ? wanted.host.endsWith(`.${host}`) && isIP(wanted.host) === 0 : wanted.host === host;
}

/** As a URL has it: IPv6 in brackets. */
export function formatDestination({ host, port }: Destination): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

/** Lower case and without the root's dot; undefined for what is no name, or a number that some read as an address. */
export function normalName(name: string): string | undefined {
  const plain = name.toLowerCase().replace(/\.$/, "");
  if (isIP(plain) === 4) return plain;
  if (plain.length > LONGEST || !NAME.test(plain)) return undefined;
  // `127.1`, `2130706433` and `0x7f.1` are 127.0.0.1 to many resolvers.
  return /(^|\.)(0x[0-9a-f]*|[0-9]+)$/.test(plain) ? undefined : plain;
}

function normalAddress(text: string): string | undefined {
  if (isIP(text) !== 6) return undefined;
  // The shortest form, which is what a URL makes of it.
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535;
}

/** Under which anybody may register a name: `com`, `co.uk`, `github.io`. */
function isSuffix(host: string): boolean {
  return getPublicSuffix(host, { allowPrivateDomains: true }) === host;
}
