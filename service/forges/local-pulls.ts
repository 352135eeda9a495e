/**
 * Pull-request numbers of a repository that has no forge: kept in the repository itself, so that any
 * data folder, and a store that was lost, gives a git branch the same number again.
 *
 * `refs/stackling/pull/<n>` names a small JSON blob. Every write names the value it replaces, so of
 * two writers at once one loses and looks again: no number is given twice.
 */

import { z } from "zod";
import { StacklingError } from "../../components/errors.ts";
import { runGit } from "../git.ts";
import { readPreviewWith } from "./preview-with.ts";

const PREFIX = "refs/stackling/pull/";
const ATTEMPTS = 25;

const record = z.object({
  branch: z.string(),
  state: z.enum(["open", "closed"]),
  openedAt: z.string(),
  closedAt: z.string().optional(),
  /** Head when last looked at; what is left of a branch that was deleted. */
  headSha: z.string(),
  merged: z.boolean(),
  title: z.string(),
  author: z.string(),
  updatedAt: z.string(),
  previewWith: z.array(z.string()).readonly().optional(),
});

export type LocalPull = z.infer<typeof record>;

/** Commit at the tip of a git branch. */
export interface BranchTip {
  readonly branch: string;
  readonly headSha: string;
  readonly title: string;
  readonly author: string;
  /** ISO 8601 UTC */
  readonly updatedAt: string;
  /** Of its commit's trailers: there is no other description. */
  readonly previewWith?: readonly string[];
}

export interface Snapshot {
  readonly tips: ReadonlyMap<string, BranchTip>;
  readonly pulls: ReadonlyMap<number, { readonly oid: string; readonly pull: LocalPull }>;
  /** Short name of what `refs/remotes/origin/HEAD` names, in a clone. */
  readonly originHead: string | undefined;
}

/** One line each: `unfold` leaves no line break in what a commit says. */
const PREVIEW_WITH = "trailers:key=Preview-With,unfold,separator=%x09";
const FORMAT = [
  "refname",
  "objectname",
  "symref",
  "committerdate:iso-strict",
  "authorname",
  "contents:subject",
  PREVIEW_WITH,
]
  .map((field) => `%(${field})`)
  .join("%00");

/** Branches and numbers as they are now. Throws when git names anything broken: absent is then no evidence. */
export async function takeSnapshot(gitDir: string): Promise<Snapshot> {
  const patterns = ["refs/heads/", PREFIX, "refs/remotes/origin/HEAD"];
  const { stdout, stderr } = await runGit({ gitDir, args: ["for-each-ref", `--format=${FORMAT}`, ...patterns] });
  if (stderr.trim() !== "") throw unreadable(gitDir, stderr.trim().split("\n").at(-1) ?? "");
  const tips = new Map<string, BranchTip>();
  const oids = new Map<number, string>();
  let originHead: string | undefined;
  for (const line of stdout.toString("utf8").split("\n")) {
    const [ref = "", oid = "", symref = "", date = "", author = "", title = "", trailers = ""] = line.split("\0");
    if (ref.startsWith("refs/heads/")) {
      const branch = ref.slice("refs/heads/".length);
      const links = readPreviewWith(trailers.replaceAll("\t", "\n"));
      tips.set(branch, { branch, headSha: oid, title, author, updatedAt: toUtc(date), ...links });
    } else if (/^[1-9][0-9]{0,9}$/.test(ref.slice(PREFIX.length)) && ref.startsWith(PREFIX)) {
      oids.set(Number(ref.slice(PREFIX.length)), oid);
    } else if (symref.startsWith("refs/remotes/origin/")) {
      originHead = symref.slice("refs/remotes/origin/".length);
    }
  }
  return { tips, originHead, pulls: await readPulls(gitDir, oids) };
}

/** Opens a pull request under a free number; undefined when another writer took the number. */
export async function openPull(
  gitDir: string,
  { number, tip, now }: { number: number; tip: BranchTip; now: string },
): Promise<LocalPull | undefined> {
  const pull: LocalPull = { ...tip, state: "open", openedAt: now, merged: false };
  return (await writePull(gitDir, { number, pull, replaces: "" })) ? pull : undefined;
}

/**
 * Replaces a record; false when it is not any more what `replaces` names (`""`: must not exist).
 * Throws when the repository cannot be written.
 */
export async function writePull(
  gitDir: string,
  { number, pull, replaces }: { number: number; pull: LocalPull; replaces: string },
): Promise<boolean> {
  const input = `${JSON.stringify(record.parse(pull), undefined, 1)}\n`;
  const blob = await runGit({ gitDir, writes: true, args: ["hash-object", "-w", "--stdin"], input });
  const oid = blob.stdout.toString("utf8").trim();
  // With -z an empty old value means "must not exist"; a missing one would mean "whatever it is".
  const old = replaces === "" ? "0".repeat(oid.length) : replaces;
  const update = `update ${PREFIX}${number}\0${oid}\0${old}\0`;
  const { exitCode, stderr } = await runGit({
    gitDir,
    writes: true,
    args: ["update-ref", "--stdin", "-z"],
    input: update,
    accept: [128],
  });
  if (exitCode === 0) return true;
  if (/reference already exists|but expected|unable to resolve reference|File exists/.test(stderr)) return false;
  throw unreadable(gitDir, `keeping pull request ${number}: ${stderr.trim().split("\n").at(-1)}`);
}

/** Runs `step` until it has an answer; each time after another writer was faster. */
export async function untilWon<T>(gitDir: string, step: () => Promise<T | undefined>): Promise<T> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const answer = await step();
    if (answer !== undefined) return answer;
  }
  throw unreadable(gitDir, `${ATTEMPTS} attempts to write ${PREFIX} lost against other writers`);
}

async function readPulls(gitDir: string, oids: ReadonlyMap<number, string>): Promise<Snapshot["pulls"]> {
  const pulls = new Map<number, { oid: string; pull: LocalPull }>();
  if (oids.size === 0) return pulls;
  const input = [...oids.values()].map((oid) => `${oid}\n`).join("");
  const { stdout } = await runGit({ gitDir, args: ["cat-file", "--batch"], input });
  let at = 0;
  for (const [number, oid] of oids) {
    const lineEnd = stdout.indexOf("\n", at);
    const [, type, size] = stdout.toString("utf8", at, lineEnd).split(" ");
    if (type !== "blob") throw unreadable(gitDir, `${PREFIX}${number} is no record of a pull request`);
    const body = stdout.subarray(lineEnd + 1, lineEnd + 1 + Number(size)).toString("utf8");
    pulls.set(number, { oid, pull: parseRecord(gitDir, number, body) });
    at = lineEnd + 1 + Number(size) + 1;
  }
  return pulls;
}

function parseRecord(gitDir: string, number: number, body: string): LocalPull {
  try {
    return record.parse(JSON.parse(body));
  } catch {
    throw unreadable(gitDir, `${PREFIX}${number} is no record of a pull request`);
  }
}

function unreadable(gitDir: string, said: string): StacklingError {
  return new StacklingError({ reason: "Unreachable", userMessage: `reading repository "${gitDir}": ${said}` });
}

function toUtc(date: string): string {
  return date === "" ? "" : new Date(date).toISOString();
}
