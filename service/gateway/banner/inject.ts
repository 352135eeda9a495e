/**
 * Puts an element at the end of a page's head while the page runs through. A parser reads along only to find the
 * place; the bytes themselves are passed on as they came, so that nothing else of a page can change.
 */
import { Transform } from "node:stream";
import { createHeadReader } from "./head-reader.ts";

export interface Injection {
  /** ASCII, whatever the page is written in. */
  readonly markup: string;
  /** A policy in a `meta` element, as it shall read. */
  readonly amendPolicy: (policy: string) => string;
}

/** A tag or comment longer than this is no page's: it goes on without the element. */
const HELD_MAX_BYTES = 1024 * 1024;
/** Nor does a head come in so many pieces: with each, the parser goes through all that is held. */
const PIECES_MAX = 1_024;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * For bytes in any encoding in which ASCII is ASCII. Holds back no more than a tag, comment or script that has begun
 * and not ended; a page that is empty, or cut short where nothing can be put, stays as it is.
 */
export function createInjector({ markup, amendPolicy }: Injection): Transform {
  const head = createHeadReader(amendPolicy);
  let held: Buffer = Buffer.alloc(0);
  /** Offset of its first byte in the page. */
  let from = 0;
  /** Undefined until enough is there to tell. */
  let markLength: number | undefined;
  let isDone = false;
  let pieces = 0;

  /** What lies before `end`, with what is changed of it. */
  const pass = (end: number): Buffer => {
    const parts: Buffer[] = [];
    let at = from;
    for (const edit of head.takeEdits()) {
      parts.push(held.subarray(at - from, edit.start - from), Buffer.from(edit.text, "latin1"));
      at = edit.end;
    }
    parts.push(held.subarray(at - from, end - from));
    held = held.subarray(end - from);
    from = end;
    return parts.length === 1 ? (parts[0] ?? held) : Buffer.concat(parts);
  };
  /** Everything from here on is none of ours. */
  const finish = (place?: number): Buffer => {
    const all =
      place === undefined
        ? pass(from + held.length)
        : // Before a byte order mark nothing may stand.
          Buffer.concat([
            pass(Math.max(place, markLength ?? 0)),
            Buffer.from(markup, "latin1"),
            pass(from + held.length),
          ]);
    isDone = true;
    held = Buffer.alloc(0);
    head.close();
    return all;
  };
  /** The parser tells of text when it ends, which a page that only writes text may never do. */
  const holdsText = () => {
    if (!head.isOpen) return false;
    const [first] = /[^\t\n\f\r ]/.exec(held.toString("latin1", Math.max(head.settled, markLength ?? 0) - from)) ?? [];
    return first !== undefined && first !== "<";
  };
  /** The parser's share of a chunk. A byte order mark is no text: the parser gets spaces in its place. */
  const unread = (chunk: Buffer): string | undefined => {
    if (markLength !== undefined) return chunk.toString("latin1");
    if (held.length < BYTE_ORDER_MARK.length) return undefined;
    markLength = held.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
    return " ".repeat(markLength) + held.toString("latin1", markLength);
  };

  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      if (isDone) return callback(null, chunk);
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const text = unread(chunk);
      if (text === undefined) return callback();
      head.read(text, () => {
        const place = head.place ?? (holdsText() ? head.settled : undefined);
        if (place !== undefined) return callback(null, finish(place));
        pieces += 1;
        if (held.length > HELD_MAX_BYTES || pieces > PIECES_MAX) return callback(null, finish());
        callback(null, pass(Math.max(from, head.settled)));
      });
    },
    flush(callback) {
      if (isDone) return callback();
      const end = from + held.length;
      head.end(markLength === undefined ? held.toString("latin1") : "", () => {
        const isWhole = end > 0 && head.isOpen && head.settled === end;
        callback(null, finish(head.place ?? (isWhole ? end : undefined)));
      });
    },
    destroy(error, callback) {
      head.close();
      callback(error);
    },
  });
}
