/**
 * SQL scripts as `pg_dump` writes them, cut into statements as they stream by. `psql` itself would also
 * obey its own commands in a dump (`\!` runs a shell); splitters on npm lose strings and function bodies
 * that go over several lines, or read the whole file at once.
 */

export type ScriptPart =
  | { readonly kind: "statement"; readonly sql: string; readonly line: number }
  /** `COPY … FROM stdin` with its rows up to `\.`; the rows must be read before the next part. */
  | { readonly kind: "copy"; readonly sql: string; readonly line: number; readonly rows: AsyncIterable<string> };

/** Lines with their line feed, as they are: `readline` would also cut at a carriage return inside a string. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let end = rest.indexOf("\n"); end !== -1; end = rest.indexOf("\n", from)) {
      yield rest.slice(from, end + 1);
      from = end + 1;
    }
    rest = rest.slice(from);
  }
  rest += decoder.decode();
  if (rest) yield rest;
}

/**
 * Statements in order, comments and `psql`'s own commands left out. Follows `psql`'s rules: quotes, dollar
 * quotes, nested comments, parentheses, and the body of an SQL function (`BEGIN ATOMIC … END`).
 */
export async function* partsOf(lines: AsyncIterable<string>): AsyncGenerator<ScriptPart> {
  const source = lines[Symbol.asyncIterator]();
  const scanner = createScanner();
  let number = 0;
  for (let next = await source.next(); !next.done; next = await source.next()) {
    number += 1;
    const line = next.value;
    if (scanner.isBetween() && line.startsWith("\\")) continue;
    for (const { sql, from } of scanner.take(line, number)) {
      if (!COPY_FROM_STDIN.test(sql)) {
        yield { kind: "statement", sql, line: from };
        continue;
      }
      yield { kind: "copy", sql, line: from, rows: rows() };
      scanner.reset();
      break;
    }
  }
  const last = scanner.rest();
  if (last) yield { kind: "statement", ...last };

  async function* rows(): AsyncGenerator<string> {
    for (let next = await source.next(); !next.done; next = await source.next()) {
      number += 1;
      if (next.value.trimEnd() === "\\.") return;
      yield next.value;
    }
  }
}

const COPY_FROM_STDIN = /^COPY\s[\s\S]*\sFROM\s+stdin\b/i;
/** Where anything can change; `$` begins a dollar quote only where no name goes on. */
const MARK =
  /'|"|--|\/\*|\*\/|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|;|\(|\)|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/g;
const ROUTINE = /^\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\b/i;

interface Taken {
  readonly sql: string;
  readonly from: number;
}

function createScanner() {
  let text = "";
  let from = 0;
  let quote = "";
  let comments = 0;
  let parentheses = 0;
  let bodies = 0;

  const reset = () => {
    text = "";
    quote = "";
    comments = parentheses = bodies = 0;
  };
  const add = (part: string, line: number) => {
    if (text === "" && part.trim() === "") return;
    if (text === "") from = line;
    text += part;
  };

  /** Index after the end of what is quoted, or of the line. */
  function leaveQuote(line: string, at: number): number {
    const escapes = quote === "E'";
    const end = escapes ? "'" : quote;
    for (let i = at; i < line.length; i += 1) {
      if (escapes && line[i] === "\\") i += 1;
      else if (line.startsWith(end, i)) {
        quote = "";
        return i + end.length;
      }
    }
    return line.length;
  }

  /** A doubled quote ends one string and begins the next, which comes to the same. */
  function open(mark: string, line: string, at: number): void {
    const before = line[at - 1] ?? "";
    const escapes = mark === "'" && /e/i.test(before) && !/[\w$]/.test(line[at - 2] ?? "");
    quote = escapes ? "E'" : mark;
  }

  function word(name: string): void {
    if (!ROUTINE.test(text)) return;
    if (name === "begin" || (name === "case" && bodies > 0)) bodies += 1;
    if (name === "end" && bodies > 0) bodies -= 1;
  }

  return {
    isBetween: () => text === "" && quote === "" && comments === 0,
    reset,
    rest: (): { readonly sql: string; readonly line: number } | undefined =>
      text.trim() === "" ? undefined : { sql: text.trim(), line: from },
    take(line: string, number: number): readonly Taken[] {
      const taken: Taken[] = [];
      let at = 0;
      while (at < line.length) {
        if (quote) {
          const end = leaveQuote(line, at);
          add(line.slice(at, end), number);
          at = end;
          continue;
        }
        MARK.lastIndex = at;
        const found = MARK.exec(line);
        const until = found?.index ?? line.length;
        if (comments === 0) add(line.slice(at, until), number);
        if (!found) break;
        const [mark] = found;
        at = until + mark.length;
        if (mark === "/*") {
          if (comments === 0) add(" ", number);
          comments += 1;
        } else if (comments > 0) comments -= mark === "*/" ? 1 : 0;
        else if (mark === "--") {
          add("\n", number);
          break;
        } else if (mark === ";" && parentheses === 0 && bodies === 0) {
          if (text.trim()) taken.push({ sql: text.trim(), from });
          reset();
        } else {
          if (mark === "(") parentheses += 1;
          if (mark === ")") parentheses = Math.max(0, parentheses - 1);
          if (/^['"$]/.test(mark)) open(mark, line, until);
          else if (/^[A-Za-z]/.test(mark)) word(mark.toLowerCase());
          add(mark, number);
        }
      }
      return taken;
    },
  };
}
