/** Runs an SQL script in a database whose roles are not those of the one it was dumped from. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { StacklingError, TerminalError } from "../../components/errors.ts";
import { linesOf, partsOf, type ScriptPart } from "./script.ts";
import { serverWords } from "./server-words.ts";

export interface LoadOptions {
  /** The script, in UTF-8. */
  readonly script: AsyncIterable<Uint8Array>;
  /** What it is called in messages. */
  readonly name: string;
  /** Awaited once, when the tables are made and before the first row of `COPY` is read. */
  readonly beforeRows?: () => Promise<void>;
  /** Told the table whose rows come next, and what could not be had. */
  readonly onStep?: (doing: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Statement by statement, the first that fails ends it (`SeedFailed`). Owners, grants, publications and the
 * like are left out: all that is made belongs to the role that is logged in.
 */
export async function loadScript(client: pg.Client, options: LoadOptions): Promise<void> {
  const { script, name, onStep, signal } = options;
  let { beforeRows } = options;
  // The draft is dropped when the server crashes, so nothing is lost by not waiting for its disk.
  await client.query("SET synchronous_commit = off; SET client_min_messages = warning");
  for await (const part of partsOf(linesOf(script))) {
    signal?.throwIfAborted();
    if (part.kind === "copy") {
      await beforeRows?.();
      beforeRows = undefined;
    }
    try {
      if (part.kind === "copy") await copyRows(client, part, onStep);
      else if (!isLeftOut(part.sql)) await client.query(part.sql);
    } catch (cause) {
      const extension = /^CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?"?([\w-]+)/i.exec(part.sql)?.[1];
      if (extension === undefined) throw failed(name, part, cause);
      // One that only watches the server is not missed; else what needs it fails, and says so.
      onStep?.(`extension ${extension} cannot be had here: ${serverWords(cause)}`);
    }
  }
}

/** Of another server's roles and replication, which this one neither has nor needs. */
const LEFT_OUT: readonly RegExp[] = [
  /^ALTER\s[\s\S]*\sOWNER\s+TO\s/i,
  /^(GRANT|REVOKE)\s/i,
  /^ALTER\s+DEFAULT\s+PRIVILEGES\s/i,
  /^(CREATE|ALTER|DROP|COMMENT\s+ON)\s+(PUBLICATION|SUBSCRIPTION|EVENT\s+TRIGGER|ROLE|USER|GROUP|DATABASE|TABLESPACE)\s/i,
  /^COMMENT\s+ON\s+(EXTENSION|SCHEMA\s+"?public"?)\s/i,
  /^SECURITY\s+LABEL\s/i,
  /^SET\s+(SESSION\s+AUTHORIZATION|ROLE|default_tablespace|default_table_access_method)\b/i,
  // Settings that came with a later version than the server's.
  /^SET\s+(transaction_timeout|idle_session_timeout)\b/i,
  /^(CREATE|ALTER)\s+SCHEMA\s+"?public"?$/i,
];

function isLeftOut(sql: string): boolean {
  const encoding = /^SET\s+client_encoding\s*(?:=|TO)\s*'?([\w-]+)'?$/i.exec(sql)?.[1];
  if (encoding && !/^utf-?8$/i.test(encoding)) {
    throw new TerminalError({
      reason: "SeedFailed",
      userMessage: `it is written in ${encoding}; dump it with --encoding=UTF8`,
    });
  }
  // An owner's change is one statement; a function's body may hold the same words.
  return (
    LEFT_OUT.some((pattern) => pattern.test(sql)) && !/^CREATE\s+(OR\s+REPLACE\s+)?(FUNCTION|PROCEDURE)\b/i.test(sql)
  );
}

type CopyPart = Extract<ScriptPart, { kind: "copy" }>;

async function copyRows(client: pg.Client, { sql, rows }: CopyPart, onStep?: (doing: string) => void): Promise<void> {
  onStep?.(`loading ${/^COPY\s+(\S+)/i.exec(sql)?.[1]?.replaceAll('"', "") ?? ""}`);
  await pipeline(Readable.from(inChunks(rows)), client.query(copyFrom(sql)));
}

const CHUNK_CHARACTERS = 64 * 1024;

/** One write for many rows. */
async function* inChunks(rows: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let chunk = "";
  for await (const row of rows) {
    chunk += row;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    yield Buffer.from(chunk);
    chunk = "";
  }
  if (chunk) yield Buffer.from(chunk);
}

/** Values of rows stand in the server's `detail` and `where`, so only its message and the statement's start are shown. */
function failed(name: string, { sql, line, kind }: ScriptPart, cause: unknown): StacklingError {
  const said = cause instanceof StacklingError ? cause.userMessage : serverWords(cause);
  // An INSERT's values are rows too.
  const start = /^(INSERT|UPDATE|SELECT)\b/i.test(sql) ? (/^\S+\s+\S+\s+[\w".]+/.exec(sql)?.[0] ?? "") : sql;
  const [first = ""] = start.split("\n");
  const words = kind === "copy" ? "the rows of" : "the statement";
  return new TerminalError({
    reason: "SeedFailed",
    userMessage: `running "${name}": ${words} "${first.slice(0, 120)}" (line ${line}) failed: ${said}`,
    cause,
  });
}
