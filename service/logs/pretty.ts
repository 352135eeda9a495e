import pc from "picocolors";

/** Shown by themselves, or of use to a program only. */
const APART = new Set(["level", "time", "msg", "key", "err", "trace_id", "span_id"]);

/** Lines of the log as a person reads them in a terminal. What is no such line is written as it is. */
export function createPretty(screen: { write(text: string): unknown }): { write(line: string): void } {
  return { write: (line) => void screen.write(pretty(line)) };
}

interface Line {
  readonly level?: string;
  readonly time?: string;
  readonly msg?: string;
  readonly key?: string;
  readonly err?: { readonly type?: string; readonly message?: string; readonly stack?: string };
  readonly [field: string]: unknown;
}

export function pretty(text: string): string {
  const line = parsed(text);
  if (!line) return text;
  const { level = "info", time = "", msg = "", key, err } = line;
  const fields = Object.entries(line).filter(([name]) => !APART.has(name));
  const words = [
    pc.dim(time.slice(11, 19)),
    (COLOURS[level] ?? String)(level.padEnd(5)),
    ...(key === undefined ? [] : [pc.cyan(oneLine(key))]),
    oneLine(msg),
    ...fields.map(([name, value]) => pc.dim(`${oneLine(name)}=${shown(value)}`)),
  ];
  return `${words.join(" ")}\n${err ? errorLines(err) : ""}`;
}

function errorLines({ type, message, stack }: NonNullable<Line["err"]>): string {
  const lines = (stack ?? `${type ?? "Error"}: ${message ?? ""}`).split("\n");
  return lines.map((line) => pc.dim(`    ${oneLine(line.trim())}\n`)).join("");
}

const COLOURS: Readonly<Record<string, (text: string) => string>> = {
  warn: pc.yellow,
  error: pc.red,
  fatal: pc.red,
};

function shown(value: unknown): string {
  return oneLine(typeof value === "string" ? value : JSON.stringify(value));
}

/** Controls of either kind, what else ends a line, and what has a terminal show the rest in another order. */
const UNSHOWN = /[\p{Cc}\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069]+/gu;

/** What others wrote moves no cursor, begins no line and turns none round. */
function oneLine(text: string): string {
  return text.replace(UNSHOWN, " ");
}

function parsed(text: string): Line | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === "object" && line !== null ? (line as Line) : undefined;
  } catch {
    return undefined;
  }
}
