/** Takes out of a program's output what must not be shown. Better a word too many than one too few. */
const HIDDEN = "[redacted]";
/** Shorter values are no secrets and would eat ordinary words. */
const SHORTEST_SECRET = 6;

/** Each looks from where it begins no further than it must: programs print lines that are made to be slow. */
const PATTERNS: readonly [RegExp, string][] = [
  [/([a-z0-9+.-]:\/\/)[^\s/@:]*:[^\s/@]*@/gi, `$1${HIDDEN}@`],
  [/([a-z0-9+.-]:\/\/)[^\s/@:]+@/gi, `$1${HIDDEN}@`],
  // As SQL has it.
  [/\b(password\s+)'(?:[^']|'')*'/gi, `$1'${HIDDEN}'`],
  [/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${HIDDEN}`],
  [
    /(password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)(["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;}]+)/gi,
    `$1$2${HIDDEN}`,
  ],
  [
    /\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|glpat-[A-Za-z0-9_-]{16,}|npm_[A-Za-z0-9]{16,})/g,
    HIDDEN,
  ],
  [/\bAKIA[A-Z0-9]{16}\b/g, HIDDEN],
  [/\beyJ(?:(?!\beyJ)[A-Za-z0-9_-]){8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g, HIDDEN],
];

/** `text` without credentials in addresses, tokens of known shapes, `password=…`, and the given values. */
export function redact(text: string, secrets: readonly string[] = []): string {
  return PATTERNS.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), hiderOf(secrets)(text));
}

export type Hider = (text: string) => string;

/**
 * Leaves the given values out of texts, in time that grows with the text and no faster. Made once for many lines: to
 * find the forms of the values takes far longer than to look for them.
 */
export function hiderOf(values: Iterable<string>): Hider {
  const longestFirst = [...values]
    .filter((value) => value.length >= SHORTEST_SECRET)
    .flatMap(formsOf)
    .sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((rest, value) => rest.replaceAll(value, HIDDEN), text);
}

/** As programs write a value: as it is, in a URL, in a query, in JSON, in HTML, and in base64. */
function formsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const escaped = value.replace(/[&<>"']/g, (character) => HTML[character] ?? character);
  const forms = [
    value,
    encodeURIComponent(value),
    new URLSearchParams({ "": value }).toString().slice(1),
    JSON.stringify(value).slice(1, -1),
    escaped,
    bytes.toString("base64").replace(/=+$/, ""),
    bytes.toString("base64url"),
  ];
  return [...new Set(forms)];
}

const HTML: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
