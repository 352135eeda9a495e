/**
 * Tokens for programs, beside the instance's own. What is given out is shown once; only its digest is kept, which is
 * as good as the token is long: 32 random bytes are not guessed (no salt, no slow hash).
 */
import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { TerminalError } from "../../components/errors.ts";
import type { Caller, Role } from "../roles.ts";

/** By which secret scanners know one that somebody committed. */
const TOKEN_PREFIX = "stk_";
const SHAPE = /^stk_([A-Za-z0-9_-]{43})([0-9a-f]{8})$/;

export interface TokenRow {
  readonly id: string;
  /** One of a kind among those that are not revoked. */
  readonly name: string;
  readonly role: Role;
  /** Undefined: every repository. */
  readonly repositories?: readonly string[];
  /** ISO 8601 UTC, as all times here. */
  readonly createdAt: string;
  /** Name of who made it. */
  readonly createdBy: string;
  readonly expiresAt?: string;
  /** At most a few minutes old. */
  readonly lastUsedAt?: string;
}

export interface NewToken extends Omit<TokenRow, "id" | "lastUsedAt"> {
  readonly digest: string;
}

export interface TokenStore {
  /** Undefined where another one that is not revoked has its name. */
  addToken(token: NewToken): Promise<TokenRow | undefined>;
  /** Newest first; those that are over too, until they are revoked. */
  tokens(query: { readonly before?: string; readonly limit: number }): Promise<TokenPage>;
  /** Undefined unless it is there, neither revoked nor over. */
  findToken(digest: string): Promise<TokenRow | undefined>;
  /** By name or id. False: there is none. */
  revokeToken(which: string): Promise<TokenRow | undefined>;
  usedTokens(times: ReadonlyMap<string, string>): Promise<void>;
}

export interface TokenPage {
  readonly tokens: readonly TokenRow[];
  readonly next?: string;
}

export interface TokenWish {
  readonly name: string;
  readonly role: Role;
  readonly repositories?: readonly string[];
  readonly expiresAt?: string;
}

export interface Tokens {
  create(wish: TokenWish, by: string): Promise<{ readonly token: string; readonly row: TokenRow }>;
  list: TokenStore["tokens"];
  revoke(which: string): Promise<TokenRow>;
  /** Undefined for what is no token of ours, or none any more. */
  callerOf(given: string): Promise<Caller | undefined>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface TokensDeps {
  readonly store: TokenStore;
  /** ISO 8601 UTC. */
  readonly now: () => string;
  /** Names of the configured repositories. */
  readonly repositories: () => Promise<readonly string[]>;
  readonly onError: (error: unknown) => void;
  readonly flushIntervalMs?: number;
}

const FLUSH_MS = 60_000;

export function createTokens({ store, now, repositories, onError, flushIntervalMs = FLUSH_MS }: TokensDeps): Tokens {
  let used = new Map<string, string>();
  const flush = async () => {
    const batch = used;
    if (batch.size === 0) return;
    used = new Map();
    // Lost, it is said anew by the next use.
    await store.usedTokens(batch).catch(onError);
  };
  const timer = setInterval(() => void flush(), flushIntervalMs);
  timer.unref();

  return {
    async create(wish, by) {
      const doing = `making the token "${wish.name}"`;
      const known = await repositories();
      const stranger = wish.repositories?.find((name) => !known.includes(name));
      if (stranger !== undefined) {
        const there = known.length > 0 ? `there are ${known.join(", ")}` : "there are none yet";
        throw refused("NotConfigured", `${doing}: no repository is called "${stranger}"; ${there}`);
      }
      if (wish.role === "admin" && wish.repositories)
        throw refused("BadRequest", `${doing}: an admin's is for the whole instance; leave out its repositories`);
      if (wish.expiresAt !== undefined && wish.expiresAt <= now())
        throw refused("BadRequest", `${doing}: "${wish.expiresAt}" is past already`);
      const token = newToken();
      const row = await store.addToken({ ...wish, digest: digestOf(token), createdAt: now(), createdBy: by });
      if (!row)
        throw refused("NameTaken", `${doing}: there is one of this name; revoke it first, or choose another name`);
      return { token, row };
    },
    list: store.tokens,
    async revoke(which) {
      const row = await store.revokeToken(which);
      if (!row) throw refused("NoSuchToken", `revoking the token "${which}": there is none; "token ls" names them`);
      return row;
    },
    async callerOf(given) {
      if (!isWellFormed(given)) return undefined;
      const row = await store.findToken(digestOf(given));
      if (!row) return undefined;
      used.set(row.id, now());
      return {
        name: `token ${row.name}`,
        role: row.role,
        ...(row.repositories ? { repositories: row.repositories } : {}),
      };
    },
    flush,
    close() {
      clearInterval(timer);
      return flush();
    },
  };
}

/** The digits at its end tell a token that was cut, or made up, without asking the store. */
export function isWellFormed(given: string): boolean {
  const [, random = "", sum] = SHAPE.exec(given) ?? [];
  return sum !== undefined && sumOf(random) === sum;
}

function newToken(): string {
  const random = randomBytes(32).toString("base64url");
  return `${TOKEN_PREFIX}${random}${sumOf(random)}`;
}

function sumOf(random: string): string {
  return crc32(random).toString(16).padStart(8, "0");
}

function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function refused(reason: string, userMessage: string): TerminalError {
  return new TerminalError({ reason, userMessage });
}
