/** Commits, and what of other repositories a preview has in it, as facts. Pure. */

import { pageUrl } from "../addresses.ts";
import { addressOf } from "../forges/addresses.ts";
import { linksInUse } from "../linked/links.ts";
import { linkedView } from "../linked/view.ts";
import type { Preview } from "../status.ts";

export interface CommitFact {
  readonly sha: string;
  readonly short: string;
  readonly url?: string;
}

/** What is in it of other repositories, and of what it is part. */
export interface LinkedFacts {
  /** Commits of other repositories that serve in it. */
  readonly linked: readonly LinkedFact[];
  /** Previews of other repositories in which its head runs too. */
  readonly partOf: readonly PartOf[];
}

/** A preview, with its page on Stackling. */
export interface PartOf {
  readonly key: string;
  readonly url?: string;
}

/** Of a linked pull request, or of a default branch. */
export interface LinkedFact {
  readonly said: string;
  /** Page of the pull request. */
  readonly url?: string;
  readonly commit: CommitFact;
}

export function commitFact(sha: string, url: string | undefined): CommitFact {
  return { sha, short: sha.slice(0, 7), ...(url === undefined ? {} : { url }) };
}

/** @param runsIn keys of the previews in which its head runs too */
export function linkedFacts(
  preview: Preview,
  { runsIn = [], homeUrl }: { readonly runsIn?: readonly string[]; readonly homeUrl?: string },
): LinkedFacts {
  return {
    linked: (linkedView(preview).linked ?? []).map(({ said, url, commit, commitUrl }) => ({
      said,
      ...(url === undefined ? {} : { url }),
      commit: commitFact(commit, commitUrl),
    })),
    partOf: runsIn.map((key) => ({ key, ...(homeUrl === undefined ? {} : { url: pageUrl(homeUrl, key) }) })),
  };
}

/** What is wished for beside the preview's own head. */
export function linkedHeads({ status: { links } }: Preview): readonly LinkedFact[] {
  return linksInUse(links).map(({ said, url, headSha, commitUrl }) => ({
    said,
    ...(url === undefined ? {} : { url }),
    commit: commitFact(headSha, addressOf(commitUrl, headSha)),
  }));
}

/** Lines of the description that do not count. */
export function linkProblems({ status: { links = [], goneAt } }: Preview): readonly string[] {
  if (goneAt !== undefined) return [];
  return links.flatMap(({ said, problem }) => (problem === undefined ? [] : [`\`Preview-With: ${said}\`: ${problem}`]));
}
