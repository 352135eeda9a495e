/** Which statement of many it was, when they were sent to PostgreSQL at once. Pure. */

export interface Blame {
  readonly error: string | undefined;
  /** In characters from 1. */
  readonly position?: number | undefined;
}

/** What a semicolon in it does not end. Source: PostgreSQL documentation, "Lexical Structure". */
const TOKENS =
  /'(?:[^']|'')*'?|"(?:[^"]|"")*"?|\$([A-Za-z_]\w*)?\$[\s\S]*?(?:\$\1\$|$)|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|;/g;

const LENGTH_MAX = 256 * 1024;

/** The one at the position, else the only one that names all that the error quotes, else all of them. */
export function statementAt(whole: string, { error = "", position }: Blame): string {
  const sql = whole.slice(0, LENGTH_MAX);
  const all = split(sql);
  if (position !== undefined) {
    const at = [...sql].slice(0, position - 1).join("").length;
    const found = all.find(({ from, to }) => at >= from && at < to);
    if (found) return bare(found.text);
  }
  const [only, ...others] = all;
  if (only && others.length === 0) return bare(only.text);
  const quoted = [...error.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name.split(".").at(-1) ?? "");
  const naming = quoted.length === 0 ? [] : all.filter(({ text }) => quoted.every((name) => text.includes(name)));
  return bare(naming.length === 1 && naming[0] ? naming[0].text : sql);
}

interface Part {
  readonly text: string;
  /** In code units. */
  readonly from: number;
  readonly to: number;
}

function split(sql: string): readonly Part[] {
  const ends = [...sql.matchAll(TOKENS)].flatMap(({ 0: token, index }) => (token === ";" ? [index + 1] : []));
  const edges = [0, ...ends, sql.length];
  return edges
    .slice(1)
    .map((to, index) => ({ from: edges[index] ?? 0, to, text: sql.slice(edges[index] ?? 0, to) }))
    .filter(({ text }) => bare(text) !== "");
}

/** Without the comments before it and the semicolon behind it. */
function bare(text: string): string {
  let end = text.length;
  while (end > 0 && /[\s;]/.test(text[end - 1] ?? "")) end -= 1;
  return text.slice(0, end).replace(/^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, "");
}
