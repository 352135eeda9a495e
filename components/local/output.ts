/** What a program prints, as lines that may be kept and shown while it still runs. */
import { StringDecoder } from "node:string_decoder";
import { setTimeout as delay } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { bytesBetween, sizeOf } from "./log-file.ts";
import { type Hider, hiderOf, redact } from "./redact.ts";

/** Characters of one line; what is behind is left out. */
export const LINE_MAX = 4_000;
/** Of a line without an end, before it is taken for one. */
const WINDOW = 64 * 1024;
const POLL_MS = 200;
/** Read at once; of a program that prints faster, the middle is left out. */
const READ_BYTES = 128 * 1024;

export interface OutputFollow {
  readonly path: string;
  /** Byte from which on it is of interest. */
  readonly from: number;
  /** Values that must not show. */
  readonly secrets: readonly string[];
  readonly onLines: (lines: readonly string[]) => void;
}

/**
 * Tells lines of a file that programs append to, about as fast as they come. `stop` tells the rest. The file is the
 * programs' own: however they grow, cut or fill it, little of it is held at once.
 */
export function followOutput({ path, from, secrets, onLines }: OutputFollow): { stop(): Promise<void> } {
  const hide = lineHider(secrets);
  const reader = lineReader();
  const stopped = new AbortController();
  let offset = from;
  const read = async () => {
    const size = await sizeOf(path);
    // Smaller than before: it was cut, what is there is new.
    if (size < offset) offset = 0;
    if (size === offset) return;
    const begin = Math.max(offset, size - READ_BYTES);
    const skipped = begin - offset;
    const lines = reader.take(await bytesBetween(path, begin, size), skipped);
    offset = size;
    if (lines.length > 0) onLines(lines.map((line) => shownLine(line, hide)));
  };
  const following = (async () => {
    while (!stopped.signal.aborted) {
      await delay(POLL_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
      await read();
    }
    // What was printed while the last read went on.
    await read();
    const last = reader.end();
    if (last !== undefined) onLines([shownLine(last, hide)]);
  })();
  // It informs only: what cannot be read does not fail the program's own work.
  const settled = following.catch(() => undefined);
  return {
    stop: () => {
      stopped.abort();
      return settled;
    },
  };
}

/**
 * A line as it may be shown: no secret in it, nothing that a terminal or a page would obey, nothing that turns the
 * direction of what stands beside it, and no longer than `LINE_MAX`.
 */
export function shownLine(raw: string, hide: Hider = (text) => text): string {
  // Both before and behind: escapes may cut a secret apart, and a secret may hold what is replaced.
  const hidden = hide(raw.slice(0, WINDOW));
  const plain = hide(plainLine(hidden));
  const cut = plain.length > LINE_MAX ? `${plain.slice(0, LINE_MAX).toWellFormed()} …` : plain;
  return redact(cut);
}

/** Of a progress bar that draws over itself the last state is left. */
function plainLine(text: string): string {
  const drawn = stripVTControlCharacters(withoutCommands(text))
    .split("\r")
    .filter((part) => part.trim() !== "");
  return (drawn.at(-1) ?? "").replace(CONTROLS, "").replace(DIRECTIONS, "\uFFFD").trimEnd();
}

/**
 * Without titles and links (ECMA-48, OSC), up to their end. Those first: of many that have none, Node's own look takes
 * time that grows with their square.
 */
function withoutCommands(text: string): string {
  const [first = "", ...commands] = text.split("\u001B]");
  return first + commands.map(behindCommand).join("");
}

function behindCommand(text: string): string {
  const end = text.search(/\p{Cc}/u);
  if (end < 0) return text;
  if (text[end] === "\u0007" || text[end] === "\u009C") return text.slice(end + 1);
  return text.startsWith("\u001B\\", end) ? text.slice(end + 2) : text;
}

const CONTROLS = /(?!\t)\p{Cc}/gu;
/** Explicit directions (Unicode UAX #9), and what ends a line in some readers. */
const DIRECTIONS = /[\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069]/g;

/** For what comes line by line: a key of several lines is printed as such, and each is looked at alone. */
export function lineHider(secrets: readonly string[]): Hider {
  return hiderOf(new Set(secrets.flatMap((secret) => [secret, ...secret.split(/\r?\n/)])));
}

/** Bytes to whole lines; one without an end is told once it is longer than the window, and its rest left out. */
function lineReader() {
  let decoder = new StringDecoder("utf8");
  let rest = "";
  let overlong = false;
  return {
    take(bytes: Buffer, skipped: number): string[] {
      const found: string[] = [];
      if (skipped > 0) {
        decoder = new StringDecoder("utf8");
        rest = "";
        overlong = true;
        found.push(`… ${Math.ceil(skipped / 1024)} KB left out: it printed faster than it can be shown …`);
      }
      const lines = (rest + decoder.write(bytes)).split("\n");
      rest = lines.pop() ?? "";
      // What begins in the middle is no line.
      if (overlong && lines.length > 0) {
        lines.shift();
        overlong = false;
      }
      found.push(...lines);
      if (rest.length > WINDOW || overlong) {
        if (!overlong) found.push(rest);
        overlong = true;
        rest = "";
      }
      return found;
    },
    end: (): string | undefined => (rest === "" ? undefined : rest),
  };
}
