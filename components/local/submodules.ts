/** Which repositories a commit's submodules name, and whether it may name them: the head of a pull request is untrusted. */
import { isAbsolute, posix } from "node:path";
import { TerminalError } from "../errors.ts";
import { type GitOptions, git } from "./git.ts";

export interface Submodule {
  /** Folder in the tree. */
  readonly path: string;
  readonly repository: string;
  readonly commit: string;
}

/** Submodules of a commit in a bare mirror. Throws `TerminalError` (`CheckoutFailed`) for an address that is not allowed. */
export async function submodulesOf(
  { mirror, repository, commit }: { readonly mirror: string; readonly repository: string; readonly commit: string },
  options: GitOptions,
): Promise<Submodule[]> {
  const links = await gitLinks(mirror, commit, options);
  if (links.size === 0) return [];
  const listed = await git(
    [
      "--git-dir",
      mirror,
      "config",
      "--blob",
      `${commit}:.gitmodules`,
      "--null",
      "--get-regexp",
      "^submodule\\..*\\.(path|url)$",
    ],
    options,
  ).catch(() => "");
  const byName = new Map<string, { path?: string; url?: string }>();
  for (const entry of listed.split("\0").filter(Boolean)) {
    const [key = "", value = ""] = [entry.slice(0, entry.indexOf("\n")), entry.slice(entry.indexOf("\n") + 1)];
    const name = key.slice("submodule.".length, key.lastIndexOf("."));
    byName.set(name, { ...byName.get(name), [key.slice(key.lastIndexOf(".") + 1)]: value });
  }
  return [...byName.values()].flatMap(({ path, url }) => {
    const linked = path === undefined ? undefined : links.get(path);
    if (path === undefined || url === undefined || linked === undefined) return [];
    return [{ path, repository: resolveSubmodule(repository, url), commit: linked }];
  });
}

/**
 * Address of a submodule. Of a remote repository it must be on the same host, by https or ssh, because
 * the operator's credentials go with the fetch; only a repository on this disk may name others on it.
 */
export function resolveSubmodule(parent: string, url: string): string {
  if (isAbsolute(parent)) {
    const path = url.startsWith("file://") ? decodeURIComponent(new URL(url).pathname) : url;
    const resolved = isAbsolute(path)
      ? posix.normalize(path)
      : /^\.\.?\//.test(path)
        ? posix.join(parent, path)
        : undefined;
    if (resolved) return resolved;
    throw refused(url, "of a local repository must be a path");
  }
  const base = parse(parent);
  const target = /^\.\.?\//.test(url) ? parse(new URL(url, `${parent.replace(/\/?$/, "/")}`).href) : parse(url);
  if (
    base &&
    target &&
    ["https:", "ssh:", "http:"].includes(target.protocol) &&
    target.host === base.host &&
    target.protocol === base.protocol
  ) {
    return target.href;
  }
  throw refused(url, `must be on the same host as "${base?.host ?? "its repository"}"`);
}

async function gitLinks(mirror: string, commit: string, options: GitOptions): Promise<Map<string, string>> {
  const listed = await git(["--git-dir", mirror, "ls-tree", "-r", "-z", commit], options);
  const links = listed.split("\0").flatMap((entry): [string, string][] => {
    const match = /^160000 commit ([0-9a-f]+)\t([\s\S]+)$/.exec(entry);
    return match?.[1] && match[2] ? [[match[2], match[1]]] : [];
  });
  return new Map(links);
}

function parse(address: string): URL | undefined {
  return URL.canParse(address) ? new URL(address) : undefined;
}

function refused(url: string, rule: string): TerminalError {
  return new TerminalError({
    reason: "CheckoutFailed",
    userMessage: `checking out submodule ${JSON.stringify(url)}: its address ${rule}`,
  });
}
