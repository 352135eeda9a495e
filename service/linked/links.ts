/** What a pull request asks to be previewed with, and what came of asking. Pure. */

import { formatKey } from "../../infra/names.ts";
import type { PreviewSpec } from "../../infra/spec.ts";
import type { RepositoryConfig } from "../config/repository-types.ts";
import { LINKS_MAX, parseLink } from "../forges/preview-with.ts";

/** One line of a description, as it stood when it was looked at last. */
export interface LinkSeen {
  /** As it was written, or with the repository's path in front. */
  readonly said: string;
  /** `api#7`: by the repository's name in the config, whether there is such a one or not; absent where the line names none that can count. */
  readonly key?: string;
  /** Head, of one that is open. */
  readonly headSha?: string;
  /** Its page, and those of its commits with `{sha}` for the id. */
  readonly url?: string;
  readonly commitUrl?: string;
  /** Why it is not trusted; absent where it is. */
  readonly distrust?: string;
  /** What its own repository's rule asks for yet, of one whose head is to run; absent: nothing. */
  readonly waits?: LinkWaits;
  /** Why its head is not what runs, as a sentence. */
  readonly problem?: string;
}

/** As an `ApprovalStanding` without names has them. */
export interface LinkWaits {
  readonly lacks?: string;
  readonly until?: string;
}

/** A repository that services come from, by its name in `preview.yaml`. */
export interface Listed {
  readonly alias: string;
  readonly repository: RepositoryConfig;
}

export interface Asked extends Listed {
  readonly said: string;
  readonly number: number;
}

/** Who asks; a preview by hand asks for nothing. */
export interface Asking {
  readonly repository: Pick<RepositoryConfig, "name" | "path">;
  readonly number: number;
  readonly previewWith: readonly string[];
}

/** Of each repository the first pull request that is named; the others with the reason why not. */
export function chooseLinks(
  { repository: own, number: ownNumber, previewWith }: Asking,
  listed: readonly Listed[],
): { readonly asked: readonly Asked[]; readonly refused: readonly LinkSeen[] } {
  const asked: Asked[] = [];
  const refused: LinkSeen[] = [];
  for (const [index, said] of previewWith.entries()) {
    const refuse = (problem: string) => void refused.push({ said: wordsOf(said), problem });
    const link = parseLink(said);
    if (index >= LINKS_MAX) {
      refuse(
        `A pull request is previewed with ${LINKS_MAX} others at most; this line and those behind it are left out.`,
      );
    } else if (!link) {
      refuse("That names no pull request; it is written `Preview-With: acme/api#7`.");
    } else if (isNamed(own, link.repository)) {
      refuse(link.number === ownNumber ? "That is this pull request itself." : "That is of the same repository.");
    } else {
      const found = listed.find(
        ({ alias, repository }) => alias === link.repository || isNamed(repository, link.repository),
      );
      const before = found && asked.find(({ repository }) => repository.name === found.repository.name);
      if (!found) refuse("No service of `preview.yaml`, as the base branch has it, comes from that repository.");
      else if (before) refuse(`Of that repository ${before.said} is named before it.`);
      else asked.push({ ...found, said: `${pathOf(found.repository)}#${link.number}`, number: link.number });
    }
  }
  return { asked, refused };
}

/** `acme/api`, or the name of a repository on this machine, whose path is nobody's business. */
export function pathOf({ path, name }: Pick<RepositoryConfig, "path" | "name">): string {
  return path.startsWith("/") ? name : path;
}

export function isNamed({ name, path }: Pick<RepositoryConfig, "name" | "path">, said: string): boolean {
  return name === said || path.toLowerCase() === said.toLowerCase();
}

/** Of a stranger's description, fit for a comment: nothing in it is a link, a mention or markup. */
function wordsOf(said: string): string {
  return said
    .replace(/[^\w./#!:-]/g, " ")
    .trim()
    .slice(0, 80);
}

/** Those whose heads run, or are to run. */
export function linksInUse(links: readonly LinkSeen[] | undefined): readonly (LinkSeen & InUse)[] {
  return (links ?? []).filter(
    (link): link is LinkSeen & InUse =>
      link.problem === undefined && link.key !== undefined && link.headSha !== undefined,
  );
}

interface InUse {
  readonly key: string;
  readonly headSha: string;
}

/** Why what runs beside a pull request's own commit is not trusted; undefined where all of it is. */
export function linkDistrust(links: readonly LinkSeen[] | undefined): string | undefined {
  const [first] = linksInUse(links).filter(({ distrust }) => distrust !== undefined);
  return first && `${first.said} is not trusted: ${lower(first.distrust ?? "")}`;
}

/** Their commits by their keys, for an approval. */
export function linkedCommits(links: readonly LinkSeen[] | undefined): Readonly<Record<string, string>> | undefined {
  const used = linksInUse(links);
  return used.length > 0 ? Object.fromEntries(used.map(({ key, headSha }) => [key, headSha])) : undefined;
}

/** Those that serve, by the same keys. */
export function linkedServing({ sources = {} }: Pick<PreviewSpec, "sources">): ReturnType<typeof linkedCommits> {
  const heads = Object.values(sources).flatMap(({ name, number, commit }) =>
    number === undefined ? [] : [[formatKey({ repository: name, number }), commit] as const],
  );
  return heads.length > 0 ? Object.fromEntries(heads) : undefined;
}

function lower(sentence: string): string {
  return /^[A-Z][a-z]/.test(sentence) ? `${sentence.slice(0, 1).toLowerCase()}${sentence.slice(1)}` : sentence;
}
