/**
 * What stands between the log and its file. A line is taken apart as it was to be written and put together again, so
 * that no way of logging goes round it: fields, errors with their causes and requests, and the message. Pure.
 */
import { hiderOf, redact } from "../../components/local/redact.ts";

const HIDDEN = "[redacted]";
/** Where a library puts what it was given, whatever the value looks like. */
const SECRET_NAME =
  /pass(?:word|wd|phrase)|secret|token|authorization|cookie|credential|api-?key|access-?key|private-?key|client-?key|signature|bearer|\bdsn$/i;
/** Names with the same words in them that say how a thing is called or how many there are. */
const OPEN_NAME = /(?:name|names|id|ids|count|reason|reference|file)$/i;
const TEXT_MAX = 8_000;
const READ_MAX = 64_000;
const DEPTH_MAX = 8;
const ENTRIES_MAX = 200;

/**
 * Beside what `redact` knows: in a log nothing is lost with what an address was asked. That is looked for from its `?`
 * backwards, for a line may hold thousands of addresses that ask nothing.
 */
const PATTERNS: readonly [RegExp, string][] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, HIDDEN],
  [/(?<=\bhttps?:\/\/[^\s"'<>?#]{1,2000})[?#][^\s"'<>]*/g, `?${HIDDEN}`],
  [/(\/login\/|\/share\/)[A-Za-z0-9._~-]{12,}/g, `$1${HIDDEN}`],
  [
    /(passphrase|cookie|credentials?|authorization|signature)(["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;}]+)/gi,
    `$1$2${HIDDEN}`,
  ],
  // Of our own API.
  [/\bstk_[A-Za-z0-9_-]{10,}/g, HIDDEN],
  [/\bxox[a-z]-[A-Za-z0-9-]{10,}/g, HIDDEN],
  [/\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}/g, HIDDEN],
];

/**
 * @param secrets values that never stand in a line, whoever tells them
 * @returns the line without them; one that cannot be read is replaced, for nobody knows what it holds
 */
export function createLineFilter(secrets: readonly string[]): (line: string) => string {
  const hide = hiderOf(secrets);
  const text = (value: string) => {
    const open = PATTERNS.reduce(
      (rest, [pattern, replacement]) => rest.replace(pattern, replacement),
      hide(value.slice(0, READ_MAX)),
    );
    const told = redact(open);
    // Cut only now, so that no secret is known no more because of its missing end.
    return told.length > TEXT_MAX ? `${told.slice(0, TEXT_MAX)}… (${value.length} characters)` : told;
  };

  function clean(value: unknown, depth: number): unknown {
    if (typeof value === "string") return text(value);
    if (typeof value !== "object" || value === null) return value;
    if (depth >= DEPTH_MAX) return "[deeper]";
    if (Array.isArray(value)) return value.slice(0, ENTRIES_MAX).map((one) => clean(one, depth + 1));
    // As a buffer is written out; nobody reads a secret's bytes but a thief.
    if ("type" in value && value.type === "Buffer") return "[bytes]";
    const entries = Object.entries(value).slice(0, ENTRIES_MAX);
    return Object.fromEntries(entries.map(([name, one]) => [text(name), field(name, one, depth)]));
  }

  function field(name: string, value: unknown, depth: number): unknown {
    const isSecret = SECRET_NAME.test(name) && !OPEN_NAME.test(name);
    if (!isSecret || typeof value === "boolean" || typeof value === "number" || value === null) {
      return clean(value, depth + 1);
    }
    return HIDDEN;
  }

  return (line) => {
    try {
      return `${JSON.stringify(clean(JSON.parse(line), 0))}\n`;
    } catch {
      return `${JSON.stringify({ level: "error", msg: "a line of the log could not be read and is left out" })}\n`;
    }
  };
}
