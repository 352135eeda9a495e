/** HTML that is escaped by construction: only what `html` itself made goes through unchanged. */
export interface Html {
  readonly markup: string;
}

type Value = string | number | Html | readonly Html[] | undefined | null | false;

/** Known by its private field, which nothing else can have: a list of many rows asks that often. */
class Made implements Html {
  readonly #markup: string;
  constructor(markup: string) {
    this.#markup = markup;
  }
  get markup(): string {
    return this.#markup;
  }
  /** Undefined for an object that only looks like Html (parsed JSON). */
  static markupOf(value: object): string | undefined {
    return #markup in value ? value.#markup : undefined;
  }
}

/**
 * Template tag. Text is escaped for element content and quoted attributes, `Html` and lists of it go
 * in as they are, `undefined`, `null` and `false` are left out. Attributes must be quoted.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  let markup = parts[0] ?? "";
  for (const [index, value] of values.entries()) {
    markup += render(value) + (parts[index + 1] ?? "");
  }
  return seal(markup);
}

/** A sentence of ours for people, where `code` stands in backticks; it begins in upper case, unless with code. */
export function sentenceOf(text: string): Html {
  const [first = "", ...further] = text.split(/`([^`\n]+)`/);
  const parts = [first.charAt(0).toUpperCase() + first.slice(1), ...further];
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`))}`;
}

/** A style element of our own; CSS is not escaped inside one, so a sheet that could end it is refused. */
export function styleElement(css: string): Html {
  if (css.includes("</")) throw new Error('embedding a style sheet: it holds "</"');
  return seal(`<style>${css}</style>`);
}

/** A script of our own, under the same condition. */
export function scriptElement(code: string): Html {
  if (code.includes("</") || code.includes("<!--")) throw new Error("embedding a script: it holds what ends one");
  return seal(`<script>${code}</script>`);
}

export interface DocumentParts {
  readonly title: string;
  readonly head: Html;
  /** The element of that name. */
  readonly body: Html;
  readonly appearance?: "auto" | "light" | "dark";
}

/** A whole page. Search engines are asked to stay away from all of ours. */
export function documentOf({ title, head, body, appearance = "auto" }: DocumentParts): Html {
  return html`<!doctype html>
<html lang="en"${appearance !== "auto" && html` data-appearance="${appearance}"`}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>${title}</title>
${head}
</head>
${body}
</html>
`;
}

/** Escapes text for element content and quoted attributes. */
function escapeText(text: string): string {
  return UNSAFE.test(text) ? text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`) : text;
}

const UNSAFE = /[&<>"'`]/;

/** An address fit for `href`: http, https or a path of our own; anything else (`javascript:`) becomes `#`. */
export function safeHref(address: string): string {
  if (/^\/(?![/\\])/.test(address)) return address;
  return /^https?:\/\//i.test(address) ? address : "#";
}

function render(value: Value): string {
  if (value === undefined || value === null || value === false) return "";
  if (typeof value === "string" || typeof value === "number") return escapeText(String(value));
  if (Array.isArray(value)) return value.map(render).join("");
  return Made.markupOf(value) ?? "";
}

function seal(markup: string): Html {
  return new Made(markup);
}
