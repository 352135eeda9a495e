/**
 * What went wrong in a migration or seed, from what it printed and what its database server noted: file, statement and
 * error. Pure.
 *
 * The formats are those of the tools' own messages: psql, Flyway, Liquibase, Prisma, Knex, Drizzle, TypeORM,
 * Sequelize, node-pg-migrate, Rails, Django, Alembic, golang-migrate, goose, dbmate. Of any other tool the last
 * migration file that its output names counts.
 */
import { redact } from "../local/redact.ts";
import { statementAt } from "./statements.ts";

/** An error as a PostgreSQL server logs it. */
export interface LoggedError {
  readonly message: string;
  /** All that was sent at once: one statement, or a file of them. */
  readonly statement?: string;
  /** In characters from 1, within `statement`. */
  readonly position?: number;
}

export interface TaskOutput {
  readonly output: string;
  /** Newest last. */
  readonly logged?: readonly LoggedError[];
  /** Folder that files are named from. */
  readonly root?: string;
  /** Values that must not show. */
  readonly secrets: readonly string[];
}

/** Of what a hostile command prints no more is searched. */
const OUTPUT_MAX = 64 * 1024;
const LINE_MAX = 4_000;
const STATEMENT_MAX = 240;
const ERROR_MAX = 200;
const FILE_MAX = 120;

/** As the rest of a sentence, on one line and redacted: `"db/7.sql" failed: …, in "ALTER TABLE …"`; undefined: nobody knows. */
export function taskFailure({ output, logged = [], root, secrets }: TaskOutput): string | undefined {
  const lines = output.slice(-OUTPUT_MAX).replace(COLOURS, "").split(/\r?\n/);
  const text = lines.map((line) => line.slice(0, LINE_MAX)).join("\n");
  // The version that serves has the same role: only what the command said of itself is its own.
  const noted = logged.findLast(({ message }) => text.includes(firstLine(message)));
  const file = fileIn(root === undefined ? text : text.replaceAll(`${root}/`, ""));
  const said = statementIn(text);
  const whole = noted?.statement ?? said;
  const error = noted ? firstLine(noted.message) : errorIn(text);
  const statement =
    whole === undefined ? undefined : statementAt(whole, { error, ...(noted ? { position: noted.position } : {}) });
  const shown = (word: string, most: number) =>
    cut(redact(word.slice(0, LINE_MAX).replace(/\s+/g, " ").trim(), secrets), most);
  const named = file === undefined ? undefined : `"${shown(file, FILE_MAX)}" failed`;
  const why = error === undefined ? undefined : shown(error, ERROR_MAX);
  const at = statement === undefined ? "" : `, in "${shown(withoutValues(statement), STATEMENT_MAX)}"`;
  if (named !== undefined) return why === undefined ? `${named}${at}` : `${named}: ${why}${at}`;
  return why === undefined ? (at === "" ? undefined : at.slice(2)) : `${why}${at}`;
}

/** The same behind what is said already, for the reasons of migrations and seeds. */
export function withTaskFailure(said: string, reason: string, told: TaskOutput): string {
  const why = TASK_REASONS.has(reason) ? taskFailure(told) : undefined;
  return why === undefined ? said : `${said}; ${why}`;
}

const TASK_REASONS: ReadonlySet<string> = new Set(["MigrationFailed", "SeedFailed"]);

const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, "g");

/** What says that it failed there. */
const FAILED_FILE = [
  /^psql:(\S+?:\d+): (?:ERROR|FATAL):/gm,
  /^Location\s*: (\S+)/gm,
  /^Migration name: (\S+)/gm,
  /^The `([^`]+)` migration started at .* failed/gm,
  /migration file "([^"]+)" failed/gi,
  /Migration failed for change ?set ([^:\s]+)::/gi,
  /ERROR (\S+\.(?:sql|go)): failed to/g,
  /\bmigration\s+["'`]?([\w./@-]+)["'`]?\s+failed/gi,
];
/** What says that it is about to be applied: the last one failed. */
const APPLIED_FILE = [
  /^Applying: (\S+)/gm,
  /^(?:> )?### MIGRATION (\S+) \((?:UP|DOWN)\) ###/gm,
  /^\s*Applying ([\w.]+)\.\.\.(?! OK)/gm,
  /^Read and execute (\d+\/[ud] \S+)/gm,
];
/** Named in an error's stack, or by whoever calls a script. */
const ANY_FILE = [
  /(?:[\w.@-]{1,100}\/){0,20}(?:migrations?|migrate|versions|changelogs?|drizzle)\/(?:[\w@-][\w.@-]{0,100}\/){0,9}[\w@-][\w.@-]{0,100}\.(?:sql|[cm]?[jt]s|py|rb|xml|ya?ml|php|go)(?::\d+|", line \d+)?/g,
  /(?:[\w.@-]{1,100}\/){0,20}[\w.@-]{1,100}\.sql(?::\d+)?/g,
];
/** Of the two that mostly come with a file's path in the stack, which says more. */
const NAMED_STEP = [/^== (.+?): (?:migrating|reverting)/gm, /Running upgrade \S* ?-> (\w+)/g];
const VENDORED = /(?:^|\/)(?:node_modules|site-packages|dist-packages|gems|vendor|\.venv)\//;

const SAID_STATEMENT = [
  /^Statement\s*: ([\s\S]{1,4000}?)(?=\n\s*\n|\n\tat |\nCaused by|$(?![\s\S]))/gm,
  /\[SQL: ([\s\S]{1,4000}?)\]\s*(?:\n|$)/g,
  /\[Failed SQL: (?:\(\d+\) )?([\s\S]{1,4000}?)\]\s*(?:\n|$)/g,
  /migration failed with error: ([\s\S]{1,4000}?) - [^\n]+/g,
  /^> ?Error executing:\n?([\s\S]{1,4000}?)\n(?=\n|> |error:)/gm,
  /^Error executing:\n?([\s\S]{1,4000}?)\n(?=\n|error:)/gm,
  /Failed query: ([\s\S]{1,4000}?)\nparams:/g,
  /failed to execute SQL query "((?:[^"\\]|\\.){1,4000})"/g,
  /migration failed[^\n]*? in line \d+: ([\s\S]{1,4000}?) \(details: /g,
  /^query failed: ([^\n]+)/gm,
  /^STATEMENT:\s+([^\n]+)/gm,
  /^LINE \d+: ([^\n]+)/gm,
];

const SAID_ERROR = [
  /(?:^|[\s:])(?:ERROR|FATAL):\s+([^\n]+)/g,
  /\(details: pq: ([^\n]+?)\)\s*$/gm,
  /\bpq: ([^\n]+)/g,
  /psycopg2?\.errors\.\w+\)? ([^\n]+)/g,
  /psycopg2?\.errors\.\w+: ([^\n]+)/g,
  /migration failed with error: [\s\S]{1,4000}? - ([^\n]+)/g,
  /\bmigration\s+["'`]?[\w./@-]+["'`]?\s+failed[:,](?: error:)?\s+([^\n]+)/gi,
  /^(?:> |\s*\[?cause\]?: )?(?:PostgresError|DatabaseError|QueryFailedError|error): ([^\n]+)/gm,
];

function fileIn(text: string): string | undefined {
  const failed = lastOf(FAILED_FILE, text);
  if (failed !== undefined) return failed;
  const applied = lastOf(APPLIED_FILE, text);
  if (applied !== undefined) return applied;
  for (const pattern of ANY_FILE) {
    const own = [...text.matchAll(pattern)].map(([found]) => found).filter((found) => !VENDORED.test(found));
    const last = own.at(-1);
    if (last !== undefined) return last.replace(/", line (\d+)$/, ":$1");
  }
  return lastOf(NAMED_STEP, text);
}

function statementIn(text: string): string | undefined {
  return lastOf(SAID_STATEMENT, text);
}

function errorIn(text: string): string | undefined {
  return lastOf(SAID_ERROR, text)?.replace(/ \[Failed SQL: .*/, "");
}

/** The last match of the first pattern that has one. */
function lastOf(patterns: readonly RegExp[], text: string): string | undefined {
  for (const pattern of patterns) {
    const last = [...text.matchAll(pattern)].at(-1)?.[1]?.trim();
    if (last) return last;
  }
  return undefined;
}

/** Of what changes rows their values are left out, which may be somebody's; of any statement its passwords. */
function withoutValues(statement: string): string {
  if (!/^\s*(?:INSERT|UPDATE|DELETE|MERGE|COPY|SELECT|WITH|VALUES|CALL|DO|EXECUTE)\b/i.test(statement))
    return statement;
  return statement.replace(/'(?:[^']|'')*'?/g, "'…'");
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

/** Between characters, never inside one that takes two code units. */
function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/\p{Surrogate}$/u, "")}…`;
}
