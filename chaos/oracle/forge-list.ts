/** Which pull requests are open, by the forge's own word: git itself, or its REST API. */
import { execa } from "execa";
import { z } from "zod";
import { formatKey, stackName } from "../../infra/names.ts";
import type { Repository } from "./place.ts";

export interface Pull {
  readonly key: string;
  readonly stack: string;
  readonly number: number;
  readonly headSha: string;
}

export interface Pulls {
  readonly open: readonly Pull[];
  readonly closed: readonly Omit<Pull, "headSha">[];
  /** Git branches that are pull requests and have no number: nobody has seen them yet. */
  readonly unseen: readonly { readonly branch: string; readonly headSha: string }[];
}

/** Rejects when the forge does not answer, or not with a whole list. */
export function listPulls(repository: Repository): Promise<Pulls> {
  return repository.kind === "local" ? listLocal(repository) : listGithub(repository);
}

const localRecord = z.object({ branch: z.string(), state: z.enum(["open", "closed"]) });

/** Branches are the truth; the records only tell which number a branch has. */
async function listLocal({ name, path, base }: Extract<Repository, { kind: "local" }>): Promise<Pulls> {
  const heads = await refsOf(path, "objectname", "refs/heads/");
  heads.delete(base);
  const records = await refsOf(path, "raw", "refs/stackling/pull/");
  const open: Pull[] = [];
  const closed: Omit<Pull, "headSha">[] = [];
  for (const [digits, text] of records) {
    const number = Number(digits);
    const { branch, state } = localRecord.parse(JSON.parse(text));
    const headSha = state === "open" ? heads.get(branch) : undefined;
    const named = { ...namesOf(name, number), number };
    if (headSha === undefined) closed.push(named);
    else open.push({ ...named, headSha });
    if (headSha !== undefined) heads.delete(branch);
  }
  return { open, closed, unseen: [...heads].map(([branch, headSha]) => ({ branch, headSha })) };
}

/** By what follows the prefix. Fields end with a zero byte, for records hold line ends. */
async function refsOf(path: string, field: "objectname" | "raw", prefix: string): Promise<Map<string, string>> {
  const { stdout } = await execa(
    "git",
    ["-c", "safe.directory=*", "-C", path, "for-each-ref", `--format=%(refname)%00%(${field})%00`, prefix],
    { env: { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", LC_ALL: "C.UTF-8" } },
  );
  const parts = stdout.split("\0");
  const refs = new Map<string, string>();
  for (let at = 0; at + 1 < parts.length; at += 2) {
    refs.set((parts[at] ?? "").trimStart().slice(prefix.length), parts[at + 1] ?? "");
  }
  return refs;
}

const githubPulls = z.array(
  z.object({ number: z.int(), state: z.enum(["open", "closed"]), head: z.object({ sha: z.string() }) }),
);
const PER_PAGE = 100;

async function listGithub({ name, path, baseUrl, token }: Extract<Repository, { kind: "github" }>): Promise<Pulls> {
  const open: Pull[] = [];
  const closed: Omit<Pull, "headSha">[] = [];
  for (let page = 1; ; page++) {
    const url = `${baseUrl.replace(/\/$/, "")}/repos/${path}/pulls?state=all&per_page=${PER_PAGE}&page=${page}`;
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}`, accept: "application/vnd.github+json" },
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok) throw new Error(`listing the pull requests of "${path}": HTTP ${response.status}`);
    const found = githubPulls.parse(await response.json());
    for (const { number, state, head } of found) {
      const named = { ...namesOf(name, number), number };
      if (state === "open") open.push({ ...named, headSha: head.sha });
      else closed.push(named);
    }
    if (found.length < PER_PAGE) return { open, closed, unseen: [] };
  }
}

function namesOf(repository: string, number: number): { key: string; stack: string } {
  return { key: formatKey({ repository, number }), stack: stackName({ repository, number }) };
}
