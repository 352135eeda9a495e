/** What is done at one kind of server that previews share, so that each has a part of its own there. */
import type { OwnedThing } from "../operations.ts";

/** Whose part it is. */
export interface Grantee {
  readonly stack: string;
  /** Random, in characters that need no escaping; for kinds whose logins take one. */
  readonly password: string;
  /** Names of what shall be there from the start, below the preview's prefix. */
  readonly topics: readonly string[];
}

/** What an application needs to reach its part. */
export interface Granted {
  /** By name, secret all of them. */
  readonly values: Readonly<Record<string, string>>;
  /** `host:port` of every server that it connects to; for firewalls. */
  readonly addresses: readonly string[];
}

/**
 * Every one is idempotent and safe to ask at any time. `O` holds where the server is and references to its
 * administrator's credentials. Each throws `StacklingError` in a person's words, with no secret in them.
 */
export interface BackingKind<O> {
  /** Makes it, or mends it where somebody changed it; an earlier login of the preview is good no longer. */
  grant(options: O, grantee: Grantee): Promise<Granted>;
  /** Whether its login is as `grant` made it. */
  holds(options: O, stack: string): Promise<boolean>;
  /** Takes login, rights and everything below the prefix away. Gone already is success. */
  revoke(options: O, stack: string): Promise<void>;
  /** Of one stack also what lies below its prefix; of all, the logins. */
  list(options: O, stack?: string): Promise<readonly OwnedThing[]>;
}

/** Name of a preview's login. What bears such a name is Stackling's. */
export function loginOf(stack: string): string {
  return `${LOGIN}${stack}`;
}

/** Undefined for a login that is not a preview's. */
export function stackOfLogin(login: string): string | undefined {
  return login.startsWith(LOGIN) ? login.slice(LOGIN.length) : undefined;
}

/** `host:port` of a URL, whose port may go without saying. */
export function addressOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
}

const LOGIN = "stackling-";
