/** What the previews' own server notes of statements it refuses, while a command of a preview runs. */
import { readFile } from "node:fs/promises";
import pg from "pg";
import type { LoggedError } from "../service/task-failure.ts";
import { withClient } from "./database-client.ts";
import { layout } from "./layout.ts";
import { readFrom, sizeOf } from "./log-file.ts";

/** As the server is started with (`log_line_prefix`). */
export const LOG_LINE_PREFIX = "%m [%p] %q%u ";

const READ_BYTES = 1024 * 1024;
const RECORD = /^\d{4}-\d\d-\d\d [\d:.]+ \w+ \[(\d+)\] (?:(\S+) )?([A-Z]+\d?): {2}(.*)$/;

export interface Refusals {
  /** Of the role, since it was asked for; oldest first. */
  read(): Promise<readonly LoggedError[]>;
  /** Never rejects. */
  stop(): Promise<void>;
}

const NONE: Refusals = { read: async () => [], stop: async () => undefined };

/**
 * Has the statements of one role noted until `stop`: the server notes none otherwise, since they may hold passwords.
 * Sees nothing where the database lies on another server. Never rejects, for it only helps to say why.
 */
export async function noteRefusals(dataDir: string, url: string | undefined): Promise<Refusals> {
  const { previewsUrl, previewsLog } = layout(dataDir);
  const role = roleOn(url, (await readFile(previewsUrl, "utf8").catch(() => "")).trim());
  if (!role) return NONE;
  const alter = async (change: string) => {
    const statement = `ALTER ROLE ${pg.escapeIdentifier(role.name)} ${change}`;
    await withClient(role.adminUrl, (client) => client.query(statement));
  };
  try {
    const from = await sizeOf(previewsLog);
    await alter("SET log_min_error_statement = 'error'");
    return {
      read: async () => loggedErrors(await readFrom(previewsLog, from, READ_BYTES), role.name),
      stop: () => alter("RESET log_min_error_statement").catch(() => undefined),
    };
  } catch {
    return NONE;
  }
}

/** Errors of one role in a log with our prefix. Pure. */
export function loggedErrors(log: string, role: string): readonly LoggedError[] {
  const errors: { pid: string; message: string; statement?: string }[] = [];
  for (const record of recordsOf(log)) {
    const open = errors.findLast(({ pid }) => pid === record.pid);
    if (record.user !== role) continue;
    if (record.level === "ERROR" || record.level === "FATAL") errors.push({ pid: record.pid, message: record.text });
    else if (record.level === "STATEMENT" && open) open.statement = record.text;
  }
  return errors.map(({ message, statement }) => {
    const [, text = message, at] = /^([\s\S]*) at character (\d+)$/.exec(message) ?? [];
    return {
      message: text,
      ...(statement === undefined ? {} : { statement }),
      ...(at === undefined ? {} : { position: Number(at) }),
    };
  });
}

interface LogRecord {
  readonly pid: string;
  readonly user: string | undefined;
  readonly level: string;
  text: string;
}

/** Further lines of one begin with a tab, so that nobody's text can pass for a record. */
function recordsOf(log: string): readonly LogRecord[] {
  const records: LogRecord[] = [];
  for (const line of log.split("\n")) {
    const [, pid, user, level, text] = RECORD.exec(line) ?? [];
    const last = records.at(-1);
    if (pid !== undefined && level !== undefined && text !== undefined) records.push({ pid, user, level, text });
    else if (last && line.startsWith("\t")) last.text += `\n${line.slice(1)}`;
  }
  return records;
}

/** Undefined where it is another server, or none. */
function roleOn(url: string | undefined, adminUrl: string) {
  if (url === undefined || !URL.canParse(url) || !URL.canParse(adminUrl)) return undefined;
  const [own, admin] = [new URL(url), new URL(adminUrl)];
  if (own.host !== admin.host || own.username === admin.username) return undefined;
  return { name: decodeURIComponent(own.username), adminUrl };
}
