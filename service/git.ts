/** The one place that runs git for the service: never through a shell, never with a stranger's config or hooks. */
import { realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { StacklingError } from "../components/errors.ts";

export interface GitCall {
  /** Git folder (`.git`, a bare repository, or the common folder of worktrees). */
  readonly gitDir: string;
  readonly args: readonly string[];
  readonly input?: string;
  /** Exit codes that are answers, besides 0. */
  readonly accept?: readonly number[];
  readonly timeoutMs?: number;
  /** As root, writes as the repository's owner, so that no file of root's gets in the owner's way. */
  readonly writes?: boolean;
}

export interface GitAnswer {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly exitCode: number;
}

/** Config for git processes that must read a repository of any owner; see the file. */
export const ANY_OWNER_CONFIG = fileURLToPath(new URL("./git-any-owner.gitconfig", import.meta.url));

/** Keys that a repository's own config may set and that would run commands or leave traces. */
const OVERRIDES = ["core.hooksPath=/dev/null", "core.fsmonitor=false", "core.logAllRefUpdates=false"];

/** A partial clone would fetch missing objects by whatever its config names as transport. */
const NO_FETCH = "protocol.allow=never";

/**
 * Runs one git command on a repository and returns its output as bytes.
 *
 * Arguments reach git as they are; a value that may start with `-` belongs behind
 * `--end-of-options` or into `input`. Ends git after `timeoutMs` (10 s by default).
 * Throws `StacklingError` "GitFailed" with git's last line for an exit code that is not accepted.
 */
export async function runGit(call: GitCall): Promise<GitAnswer> {
  const configured = [...OVERRIDES, NO_FETCH].flatMap((setting) => ["-c", setting]);
  const result = await execa("git", [...configured, `--git-dir=${call.gitDir}`, ...call.args], {
    cwd: call.gitDir,
    extendEnv: false,
    env: environment(),
    input: call.input ?? "",
    encoding: "buffer",
    stripFinalNewline: false,
    timeout: call.timeoutMs ?? 10_000,
    maxBuffer: 64 * 1024 * 1024,
    reject: false,
    ...(call.writes ? await ownerOf(call.gitDir) : {}),
  });
  const stderr = Buffer.from(result.stderr).toString("utf8");
  const exitCode = result.exitCode ?? -1;
  if (exitCode !== 0 && !call.accept?.includes(exitCode)) {
    const said = lastLine(stderr) || (result.timedOut ? "no answer in time" : (result.originalMessage ?? "no output"));
    throw new StacklingError({
      reason: "GitFailed",
      userMessage: `git ${call.args[0]} in "${call.gitDir}": ${said}`,
      cause: result,
    });
  }
  return { stdout: Buffer.from(result.stdout), stderr, exitCode };
}

/**
 * The folder that holds a repository's refs: of a bare or ordinary repository, a worktree or a
 * submodule. Does not look in parent folders. Throws `StacklingError` "Unreachable".
 */
export async function findGitDir(path: string): Promise<string> {
  const folder = await realpath(path).catch((cause: unknown) => {
    throw unreachable(path, "no such folder", cause);
  });
  const result = await execa("git", ["rev-parse", "--path-format=absolute", "--git-common-dir"], {
    cwd: folder,
    extendEnv: false,
    // A folder that lost its `.git` must not pass for the repository around it.
    env: { ...environment(), GIT_CEILING_DIRECTORIES: dirname(folder) },
    stdin: "ignore",
    timeout: 10_000,
    reject: false,
  });
  if (result.exitCode === 0 && result.stdout) return result.stdout;
  const said = lastLine(result.stderr) || result.originalMessage || "no answer";
  throw unreachable(path, said, result);
}

function unreachable(path: string, said: string, cause: unknown): StacklingError {
  return new StacklingError({ reason: "Unreachable", userMessage: `opening repository "${path}": ${said}`, cause });
}

function environment(): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin",
    LC_ALL: "C.UTF-8",
    GIT_CONFIG_GLOBAL: ANY_OWNER_CONFIG,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_LITERAL_PATHSPECS: "1",
  };
}

async function ownerOf(gitDir: string): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  const { uid, gid } = await stat(gitDir);
  return uid === 0 ? {} : { uid, gid };
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
