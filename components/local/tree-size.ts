/**
 * How much a commit would write, counted before anything is written. A few objects that name each other over and over
 * make a tree of more files than any disk holds, so it is read as a stream and left as soon as it is too much.
 */
import { TerminalError } from "../errors.ts";
import { type GitOptions, gitEntries } from "./git.ts";

/** Bounds on one commit with its submodules. */
export interface CheckoutLimits {
  readonly files?: number;
  /** Of all files together. */
  readonly mebibytes?: number;
}

export const CHECKOUT_LIMITS = { files: 300_000, mebibytes: 4096 } as const;

/** Counts one tree after the other. Throws `TerminalError` (`CheckoutFailed`) when they are too much together. */
export type TreeCount = (
  tree: { readonly mirror: string; readonly repository: string; readonly commit: string },
  options: GitOptions,
) => Promise<void>;

export function countTrees({ files, mebibytes }: CheckoutLimits = {}): TreeCount {
  const most = { files: files ?? CHECKOUT_LIMITS.files, mebibytes: mebibytes ?? CHECKOUT_LIMITS.mebibytes };
  let [found, bytes] = [0, 0];
  return async ({ mirror, repository, commit }, options) => {
    const refused = (what: string, limit: string) =>
      new TerminalError({
        reason: "CheckoutFailed",
        userMessage: `checking out ${commit.slice(0, 12)} of "${repository}": it has more than ${what}, which the operator allows (${limit})`,
      });
    for await (const entries of gitEntries(["--git-dir", mirror, "ls-tree", "-r", "-l", "-z", commit], options)) {
      found += entries.length;
      for (const entry of entries) bytes += sizeIn(entry);
      if (found > most.files) throw refused(`${most.files} files`, "limits.checkoutFiles");
      if (bytes > most.mebibytes * 1024 * 1024) throw refused(`${most.mebibytes} MiB`, "limits.checkoutMiB");
    }
  };
}

/** `100644 blob ID    1234<tab>path`; of a submodule there is no size (git-ls-tree(1), "-l"). */
function sizeIn(entry: string): number {
  const size = /^\d+ \w+ [0-9a-f]+ +(\d+)\t/.exec(entry)?.[1];
  return size === undefined ? 0 : Number(size);
}
