/** What of other repositories is in a preview, on its page. */
import type { PreviewView } from "../api/preview-view.ts";
import { type Html, html, safeHref } from "../html.ts";
import { commitLink } from "./commit-link.ts";

export function linkedWords({ linked = [] }: PreviewView): readonly Html[] {
  return linked.map(({ said, url, commit, commitUrl }) => {
    const words = url === undefined ? said : html`<a href="${safeHref(url)}">${said}</a>`;
    return html`<span>with ${words} at ${commitLink(commitUrl, commit)}</span>`;
  });
}

/** Lines of the description that do not count. */
export function linkProblems({ links = [] }: PreviewView): readonly Html[] {
  return links.flatMap(({ said, problem }) =>
    problem === undefined ? [] : [html`<p class="soft"><code>Preview-With: ${said}</code>: ${problem}</p>`],
  );
}
