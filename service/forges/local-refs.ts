import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { StacklingError, TerminalError } from "../../components/errors.ts";
import { runGit } from "../git.ts";
import { isPlainPath, isPlausibleRef } from "./git-names.ts";

const FILE_MAX_BYTES = 1024 * 1024;

/**
 * Where pull requests go, likeliest first. In a working clone HEAD moves with every `git switch`, so
 * it is asked last there.
 */
export async function usualDefaults(where: {
  gitDir: string;
  bare: boolean;
  originHead: string | undefined;
}): Promise<string[]> {
  const { gitDir, bare, originHead } = where;
  const head = await headBranch(gitDir);
  const candidates = bare ? [head, "main", "master"] : [originHead, "main", "master", head];
  return candidates.filter((branch) => branch !== undefined);
}

/**
 * Commit of a git branch, tag, remote branch or id, in that order; undefined when there is none such.
 * Asked on standard input, one question a line, so that no ref can be read as an option.
 */
export async function resolveRef(gitDir: string, gitRef: string): Promise<string | undefined> {
  if (!isPlausibleRef(gitRef)) return undefined;
  const names = ["refs/heads/", "refs/tags/", "refs/remotes/"].map((prefix) => `${prefix}${gitRef}`);
  if (gitRef.startsWith("refs/") || gitRef === "HEAD" || /^[0-9a-f]{7,64}$/.test(gitRef)) names.unshift(gitRef);
  const input = names.map((name) => `${name}^{commit}\n`).join("");
  const { stdout } = await runGit({ gitDir, args: ["cat-file", "--batch-check"], input });
  return /^([0-9a-f]{40,64}) commit /m.exec(stdout.toString("utf8"))?.[1];
}

/** Text of a file in a commit; undefined when it has no such file. Throws for files over 1 MiB. */
export async function readBlob(gitDir: string, commit: string, path: string): Promise<string | undefined> {
  if (!isPlainPath(path)) return undefined;
  const { stdout } = await runGit({ gitDir, args: ["cat-file", "--batch"], input: `${commit}:${path}\n` });
  const lineEnd = stdout.indexOf("\n");
  const header = /^[0-9a-f]+ blob ([0-9]+)$/.exec(stdout.toString("utf8", 0, lineEnd));
  if (!header) return undefined;
  const size = Number(header[1]);
  if (size > FILE_MAX_BYTES) {
    const userMessage = `reading "${path}" at ${commit}: ${size} bytes, the limit is ${FILE_MAX_BYTES}`;
    throw new TerminalError({ reason: "SpecInvalid", userMessage });
  }
  return stdout.subarray(lineEnd + 1, lineEnd + 1 + size).toString("utf8");
}

/**
 * Files that differ between a commit and where it left a git branch, by both names where one was
 * renamed. Where the two have nothing in common, everything differs.
 */
export async function changedFiles(gitDir: string, baseBranch: string, headSha: string): Promise<readonly string[]> {
  const base = await resolveRef(gitDir, `refs/heads/${baseBranch}`);
  if (!base) throw new StacklingError({ reason: "Unreachable", userMessage: `"${baseBranch}" in "${gitDir}" is gone` });
  const merged = await runGit({ gitDir, args: ["merge-base", "--end-of-options", base, headSha], accept: [1] });
  const from = merged.stdout.toString("utf8").trim() || base;
  const compare = ["diff-tree", "-r", "-z", "--no-renames", "--name-only", "--end-of-options", from, headSha];
  const { stdout } = await runGit({ gitDir, args: compare });
  return stdout.toString("utf8").split("\0").filter(Boolean);
}

async function headBranch(gitDir: string): Promise<string | undefined> {
  const text = await readFile(join(gitDir, "HEAD"), "utf8").catch(() => "");
  const plain = /^ref: refs\/heads\/([^.\n][^\n]*)\n?$/.exec(text)?.[1];
  if (plain) return plain;
  const { stdout } = await runGit({ gitDir, args: ["symbolic-ref", "--quiet", "HEAD"], accept: [1] });
  return /^refs\/heads\/(.+)\n$/.exec(stdout.toString("utf8"))?.[1];
}
