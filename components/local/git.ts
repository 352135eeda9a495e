/** git as this program runs it: no configuration but ours, no hooks, no prompt, names never through a shell. */
import { readFile } from "node:fs/promises";
import { execa } from "execa";
import { networkEnvironment } from "./environment.ts";
import { replaceFile } from "./json-file.ts";
import { layout, prepareDataDir } from "./layout.ts";
import { redact } from "./redact.ts";

export interface GitOptions {
  readonly dataDir: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * A file and not `-c`, because git does not hand `-c` on to the process that serves a local
 * repository, where `safe.directory` decides whether another user's repository may be read
 * (git-config(1), safe.directory).
 */
const CONFIG = `[safe]
	directory = *
[core]
	hooksPath = /dev/null
	fsmonitor = false
	askPass =
[gc]
	auto = 0
[maintenance]
	auto = false
[protocol "ext"]
	allow = never
[protocol "file"]
	allow = always
[advice]
	detachedHead = false
`;

/** Standard output without its last newline. Throws `GitError` with git's own words, redacted. */
export async function git(args: readonly string[], { dataDir, environment = {}, signal }: GitOptions): Promise<string> {
  const result = await execa("git", args, {
    env: { ...gitEnvironment(dataDir), ...environment },
    extendEnv: false,
    stdin: "ignore",
    reject: false,
    maxBuffer: 64 * 1024 * 1024,
    ...(signal && { cancelSignal: signal, forceKillAfterDelay: 2_000 }),
  });
  if (result.failed) throw new GitError(redact(result.stderr || result.shortMessage || "git failed"));
  return result.stdout;
}

/**
 * What a command with `-z` says, some entries after the others while it runs, so that never all have to fit into memory.
 * Git is ended when the reader leaves. Throws `GitError` as `git` does.
 */
export async function* gitEntries(
  args: readonly string[],
  { dataDir, environment = {}, signal }: GitOptions,
): AsyncGenerator<readonly string[], void> {
  const child = execa("git", args, {
    env: { ...gitEnvironment(dataDir), ...environment },
    extendEnv: false,
    stdin: "ignore",
    reject: false,
    buffer: { stdout: false },
    ...(signal && { cancelSignal: signal, forceKillAfterDelay: 2_000 }),
  });
  try {
    let rest = "";
    for await (const chunk of child.stdout.setEncoding("utf8") as AsyncIterable<string>) {
      const entries = (rest + chunk).split("\0");
      rest = entries.pop() ?? "";
      yield entries;
    }
    const result = await child;
    if (result.failed) throw new GitError(redact(result.stderr || result.shortMessage || "git failed"));
  } finally {
    child.kill("SIGKILL");
    await child;
  }
}

export class GitError extends Error {
  /** Last lines of what git said. */
  get lines(): string[] {
    return this.message.split("\n").filter(Boolean).slice(-20);
  }
}

/** Writes the configuration that `git` uses; safe to call again, also while git reads it. */
export async function prepareGit(dataDir: string): Promise<void> {
  await prepareDataDir(dataDir);
  const { gitConfig } = layout(dataDir);
  if ((await readFile(gitConfig, "utf8").catch(() => undefined)) === CONFIG) return;
  await replaceFile(gitConfig, CONFIG);
}

function gitEnvironment(dataDir: string): Record<string, string> {
  return {
    ...networkEnvironment(process.env),
    PATH: process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin",
    HOME: layout(dataDir).mirrors,
    LANG: "C.UTF-8",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: layout(dataDir).gitConfig,
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
  };
}
