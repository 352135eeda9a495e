/** Bare mirrors of repositories, owned by the service: the only place where source comes in. */
import { mkdir, rename, rm } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { StacklingError, TerminalError } from "../errors.ts";
import { withFileLock } from "./file-lock.ts";
import { GitError, type GitOptions, git, prepareGit } from "./git.ts";
import { exists, markUsed } from "./json-file.ts";
import { layout } from "./layout.ts";
import { removeTree } from "./remove-tree.ts";
import { type Submodule, submodulesOf } from "./submodules.ts";

export interface MirrorRequest {
  readonly dataDir: string;
  /** As `source.repository` of the spec names it. */
  readonly repository: string;
  /** Where to fetch from; never holds a credential. */
  readonly url: string;
  /** Tried where the server does not give out a commit by its id, such as `refs/pull/42/head`. */
  readonly refs: readonly string[];
  readonly commit: string;
  /** For git only (GIT_ASKPASS and its answer); never written down. */
  readonly environment: Readonly<Record<string, string>>;
  readonly submodules?: boolean;
  readonly lfs?: boolean;
  readonly signal?: AbortSignal;
}

const FETCH_WAIT_MS = 600_000;
const MAX_SUBMODULE_DEPTH = 5;

/**
 * Makes sure that the mirror holds `commit`, with its submodules' mirrors and LFS objects where asked
 * for. Costs no git process when it is there already. Throws `StacklingError` (`CheckoutFailed`) with
 * git's words when it cannot be fetched.
 */
export async function ensureMirror(request: MirrorRequest): Promise<void> {
  await prepareGit(request.dataDir);
  await ensure(request, 0);
}

/** True when the mirror of `repository` holds the commit; costs no process where it was fetched by its id. */
export async function mirrorHas(repository: string, commit: string, options: GitOptions): Promise<boolean> {
  const mirror = layout(options.dataDir).mirror(repository);
  if (await exists(join(mirror, refOf(commit)))) return true;
  return git(["--git-dir", mirror, "cat-file", "-e", `${commit}^{commit}`], options).then(
    () => true,
    () => false,
  );
}

async function ensure(request: MirrorRequest, depth: number): Promise<void> {
  const { dataDir, repository, commit, environment, signal } = request;
  requireObjectId(commit);
  const options = { dataDir, environment, ...(signal && { signal }) };
  const mirror = layout(dataDir).mirror(repository);
  const isThere = await mirrorHas(repository, commit, options);
  if (isThere) await markUsed(mirror).catch(() => undefined);
  // Or it was trimmed at this moment.
  if (!isThere || !(await exists(mirror))) {
    await withFileLock(`${mirror}.lock`, () => fetchInto(mirror, request, options), { waitMs: FETCH_WAIT_MS });
  }
  if (request.lfs) await fetchLfs(mirror, request, options);
  if (request.submodules) {
    if (depth >= MAX_SUBMODULE_DEPTH) throw failed(request, [`submodules lie more than ${MAX_SUBMODULE_DEPTH} deep`]);
    for (const module of await submodulesOf({ mirror, repository, commit }, options)) {
      await ensure(submoduleRequest(request, module), depth + 1);
    }
  }
}

function submoduleRequest(request: MirrorRequest, { repository, commit }: Submodule): MirrorRequest {
  return { ...request, repository, url: repository, refs: [], commit };
}

async function fetchInto(mirror: string, request: MirrorRequest, options: GitOptions): Promise<void> {
  const { repository, url, commit } = request;
  // Somebody else may have fetched it while we waited for the lock.
  if (await exists(join(mirror, refOf(commit)))) return;
  await initMirror(mirror, options);
  await markUsed(mirror);
  // Of a git that was killed; no other writes here while we hold the mirror's own lock.
  await rm(join(mirror, `${refOf(commit)}.lock`), { force: true });
  // A ref of its own keeps the commit when its branch is pushed over. Version 2 serves any commit by
  // its id (gitprotocol-v2, fetch), where the server allows it; the refs are for those that do not.
  const byId = [`+${commit}:${refOf(commit)}`];
  const byRef = request.refs.map((ref) => `+${ref}:refs/stackling/fetched/${ref.replace(/^refs\//, "")}`);
  const base = [
    "-c",
    "protocol.version=2",
    "--git-dir",
    mirror,
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
  ];
  let said: string[] = [];
  for (const refspecs of [byId, byRef]) {
    if (refspecs.length === 0) continue;
    try {
      await git([...base, "--no-recurse-submodules", "--end-of-options", url, ...refspecs], options);
      if (await mirrorHas(repository, commit, options)) return;
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      said = error.lines;
    }
  }
  throw failed(request, said);
}

/** Made beside and moved, so that a kill leaves a whole mirror or none. */
async function initMirror(mirror: string, options: GitOptions): Promise<void> {
  if (await exists(join(mirror, "HEAD"))) return;
  const half = `${mirror}.new`;
  for (const folder of [half, mirror]) await removeTree(folder);
  await mkdir(half, { recursive: true, mode: 0o700 });
  await git(["init", "--quiet", "--bare", "--template=", "--end-of-options", half], options);
  await rename(half, mirror);
}

/** Git writes a ref only after all that it reaches is there. */
function refOf(commit: string): string {
  return `refs/stackling/commits/${commit}`;
}

/** git-lfs reads where to fetch from out of the environment, so nothing of it is left in the mirror. */
async function fetchLfs(mirror: string, request: MirrorRequest, options: GitOptions): Promise<void> {
  const address = isAbsolute(request.url) ? `file://${request.url}` : request.url;
  try {
    await git(
      ["--git-dir", mirror, "-c", `remote.origin.url=${address}`, "lfs", "fetch", "origin", request.commit],
      options,
    );
  } catch (error) {
    throw failed(request, error instanceof GitError ? error.lines : []);
  }
}

/** Throws `TerminalError` (`CheckoutFailed`) unless `commit` is a full object id, which git cannot take for anything else. */
export function requireObjectId(commit: string): void {
  if (/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(commit)) return;
  throw new TerminalError({
    reason: "CheckoutFailed",
    userMessage: `fetching commit ${JSON.stringify(commit)}: a full hexadecimal object id is needed`,
  });
}

function failed({ repository, commit }: MirrorRequest, excerpt: readonly string[]): StacklingError {
  return new StacklingError({
    reason: "CheckoutFailed",
    userMessage: `fetching commit ${commit.slice(0, 12)} of "${repository}": git could not get it`,
    excerpt,
  });
}
