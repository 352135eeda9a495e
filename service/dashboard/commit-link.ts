import { addressOf } from "../forges/addresses.ts";
import { type Html, html, safeHref } from "../html.ts";

/** A commit's short name, leading to where the forge shows it. `pattern`: as the forge gave it, with `{sha}`. */
export function commitLink(pattern: string | undefined, sha: string): Html {
  const short = html`<code>${sha.slice(0, 7)}</code>`;
  const url = addressOf(pattern, sha);
  return url === undefined ? short : html`<a href="${safeHref(url)}" title="${sha}">${short}</a>`;
}
