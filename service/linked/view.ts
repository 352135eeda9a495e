/** What of other repositories is in a preview, as API, pages and comment show it. Pure. */
import { addressOf } from "../forges/addresses.ts";
import type { Preview } from "../status.ts";
import { type LinkSeen, linksInUse } from "./links.ts";

/** The commit of another repository whose services serve now. */
export interface LinkedView {
  /** Name in the operator's config. */
  readonly repository: string;
  /** `acme/api#7`, or the repository's name where it is of the default branch. */
  readonly said: string;
  readonly commit: string;
  readonly services: readonly string[];
  /** Pull request whose head it is; absent: of the default branch. */
  readonly number?: number;
  /** Page of that pull request, and of the commit. */
  readonly url?: string;
  readonly commitUrl?: string;
}

/** One line of the description. */
export type LinkView = Pick<LinkSeen, "said" | "headSha" | "url" | "problem">;

export interface Linked {
  readonly linked?: readonly LinkedView[];
  readonly links?: readonly LinkView[];
}

export function linkedView({ status: { live, links = [], goneAt } }: Pick<Preview, "status">): Linked {
  if (goneAt !== undefined) return {};
  const linked = Object.entries(live?.sources ?? {}).map(([alias, { name, commit, number }]): LinkedView => {
    const services = live?.services.filter(({ source }) => source === alias) ?? [];
    const { said = name, url, commitUrl } = linksInUse(links).find(({ key }) => key === `${name}#${number}`) ?? {};
    const page = addressOf(commitUrl, commit);
    return {
      ...{ repository: name, said, commit, services: services.map((service) => service.name) },
      ...(number === undefined ? {} : { number }),
      ...(url === undefined ? {} : { url }),
      ...(page === undefined ? {} : { commitUrl: page }),
    };
  });
  return {
    ...(linked.length > 0 ? { linked } : {}),
    ...(links.length > 0 ? { links: links.map(viewOf) } : {}),
  };
}

function viewOf({ said, headSha, url, problem }: LinkSeen): LinkView {
  return {
    said,
    ...(headSha === undefined ? {} : { headSha }),
    ...(url === undefined ? {} : { url }),
    ...(problem === undefined ? {} : { problem }),
  };
}
