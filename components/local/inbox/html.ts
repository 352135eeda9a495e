/** HTML by a template tag that escapes whatever is put in. */

export interface Html {
  readonly html: string;
}

type Part = string | number | Html | undefined | false | readonly Part[];

export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: strings.reduce((text, string, index) => text + rendered(parts[index - 1]) + string) };
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function rendered(part: Part): string {
  if (part === undefined || part === false) return "";
  if (Array.isArray(part)) return part.map(rendered).join("");
  if (typeof part === "object" && "html" in part) return part.html;
  return String(part).replace(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
}
