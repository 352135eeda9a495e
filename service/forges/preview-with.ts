/** `Preview-With: acme/api#7` in a pull request's description: what it is to be previewed with. Pure. */

/** Pull requests of other repositories that one may be previewed with. */
export const LINKS_MAX = 5;
/** Far more than people write; GitHub takes 65,536 characters. */
const DESCRIPTION_READ = 100_000;
const SAID_MAX = 120;
const LINE = /^preview-with[ \t]*:[ \t]*(\S.*)$/i;
const SHORT = /^([\w.-]{1,100}(?:\/[\w.-]{1,100}){0,9})[#!]([1-9]\d{0,9})$/;
const PAGE = /^\/(.{1,300}?)\/(?:-\/)?(?:pull|pulls|merge_requests)\/([1-9]\d{0,9})\/?$/;

/**
 * What stands behind `Preview-With:` on lines of their own, outside of code blocks and HTML comments: each once, as
 * written but cut to 120 characters, and one more than `LINKS_MAX` at most, by which it shows that there are too many.
 */
export function readPreviewWith(description: string | null | undefined): Pick<Links, "previewWith"> {
  const found = new Set<string>();
  let fence: string | undefined;
  for (const line of withoutComments((description ?? "").slice(0, DESCRIPTION_READ)).split("\n")) {
    const text = line.trim();
    const mark = text.slice(0, 3);
    if (mark === "```" || mark === "~~~") {
      fence = fence === undefined ? mark : fence === mark ? undefined : fence;
    } else if (fence === undefined) {
      const said = LINE.exec(text)?.[1];
      if (said !== undefined) found.add(said.replaceAll("`", "").trim().slice(0, SAID_MAX));
    }
    if (found.size > LINKS_MAX) break;
  }
  return found.size > 0 ? { previewWith: [...found] } : {};
}

interface Links {
  readonly previewWith?: readonly string[];
}

/** A pull request by its repository (path or name) and number: `acme/api#7`, `group/api!7`, or its page's address. */
export function parseLink(said: string): { readonly repository: string; readonly number: number } | undefined {
  const [, repository, number] =
    SHORT.exec(said) ?? (URL.canParse(said) ? PAGE.exec(new URL(said).pathname) : null) ?? [];
  return repository === undefined ? undefined : { repository, number: Number(number) };
}

/** By hand, for a pattern would take a hostile text's length squared. */
function withoutComments(text: string): string {
  let kept = "";
  for (let at = 0; at < text.length; ) {
    const begin = text.indexOf("<!--", at);
    const end = begin < 0 ? -1 : text.indexOf("-->", begin);
    if (end < 0) return kept + text.slice(at);
    kept += text.slice(at, begin);
    at = end + 3;
  }
  return kept;
}
