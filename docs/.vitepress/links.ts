/** Links as the forge reads them, for the site: headings get the forge's names, and files beside `docs/` a place. */
import { posix } from "node:path";
import { slug } from "github-slugger";

export interface Token {
  readonly type: string;
  readonly children: Token[] | null;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
}

interface State {
  readonly env: { readonly relativePath?: string };
  readonly tokens: readonly Token[];
}

/** The part of markdown-it that is used. */
interface Markdown {
  readonly core: { readonly ruler: { push(name: string, rule: (state: State) => void): void } };
}

/** Equal headings of one page are told apart by the site itself, as the forge does it. */
export const slugify = (heading: string): string => slug(heading);

/**
 * A link to a file outside of `docs/` leads to the forge, where its address is known, and is plain text where not:
 * the site has no such page.
 */
export function linksOutside(repository: string | undefined): (markdown: Markdown) => void {
  return ({ core }) =>
    core.ruler.push("links-outside", ({ env, tokens }) => {
      for (const token of tokens) settle(token.children ?? [], env.relativePath ?? "", repository);
    });
}

function settle(tokens: Token[], page: string, repository: string | undefined): void {
  let dropped = false;
  const kept = tokens.filter((token) => {
    if (token.type === "link_open") {
      const path = outside(token.attrGet("href") ?? "", page);
      dropped = path !== undefined && repository === undefined;
      if (path !== undefined && repository !== undefined) token.attrSet("href", `${repository}/blob/main/${path}`);
    }
    return !dropped || (token.type !== "link_open" && token.type !== "link_close");
  });
  tokens.splice(0, tokens.length, ...kept);
}

/** Path in the repository of a link that leaves `docs/`. */
function outside(href: string, page: string): string | undefined {
  if (/^(?:[a-z]+:|#|\/)/.test(href)) return undefined;
  const path = posix.join("docs", posix.dirname(page), href);
  return path.startsWith("docs/") ? undefined : path;
}
