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
  const named = [...(await modulesOf(mirror, commit, options)).values()].flatMap(({ path, url }) =>
    path !== undefined && url !== undefined && isPlain(path) ? [{ path, url }] : [],
  );
  if (named.length === 0) return [];
  const links = await linksAt(
    named.map(({ path }) => path),
    { mirror, commit },
    options,
  );
  return named.flatMap(({ path, url }) => {
    const linked = links.get(path);
    return linked === undefined ? [] : [{ path, repository: resolveSubmodule(repository, url), commit: linked }];
  });
}

/** What `.gitmodules` says by name; nothing where there is none. */
async function modulesOf(
  mirror: string,
  commit: string,
  options: GitOptions,
): Promise<ReadonlyMap<string, { readonly path?: string; readonly url?: string }>> {
  const file = ["--blob", `${commit}:.gitmodules`];
  const listed = await git(
    ["--git-dir", mirror, "config", ...file, "--null", "--get-regexp", "^submodule\\..*\\.(path|url)$"],
    options,
  ).catch(() => "");
  const byName = new Map<string, { path?: string; url?: string }>();
  for (const entry of listed.split("\0").filter(Boolean)) {
    const [key = "", value = ""] = [entry.slice(0, entry.indexOf("\n")), entry.slice(entry.indexOf("\n") + 1)];
    const name = key.slice("submodule.".length, key.lastIndexOf("."));
    byName.set(name, { ...byName.get(name), [key.slice(key.lastIndexOf(".") + 1)]: value });
  }
  return byName;
}

function isPlain(path: string): boolean {
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** Only these places are looked at: a tree may unfold to more files than anybody can read. */
async function linksAt(
  paths: readonly string[],
  { mirror, commit }: { readonly mirror: string; readonly commit: string },
  options: GitOptions,
): Promise<ReadonlyMap<string, string>> {
  const listed = await git(["--git-dir", mirror, "ls-tree", "-z", commit, "--", ...paths], options);
  const links = listed.split("\0").flatMap((entry): [string, string][] => {
    const match = /^160000 commit ([0-9a-f]+)\t([\s\S]+)$/.exec(entry);
    return match?.[1] && match[2] ? [[match[2], match[1]]] : [];
  });
  return new Map(links);
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

function parse(address: string): URL | undefined {
  return URL.canParse(address) ? new URL(address) : undefined;
}

function refused(url: string, rule: string): TerminalError {
  return new TerminalError({
    reason: "CheckoutFailed",
    userMessage: `checking out submodule ${JSON.stringify(url)}: its address ${rule}`,
  });
}
