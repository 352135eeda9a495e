/** What a preview is told of a request for its traces: where it stands (W3C Trace Context) and whose it is (W3C Baggage). */
import { randomFillSync } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** W3C Baggage §3.3.2: what must be passed on; whoever sends more loses what is behind. */
const MEMBERS_MAX = 64;
const BYTES_MAX = 8192;
const NAME = "preview";

/** One that is not of version 00 may have more behind; ff is none (Trace Context §3.2.2). */
const TRACEPARENT =
  /^(?:00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}|(?!00|ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]*)?)$/;
/** Blanks stand in one place only where there is no value, else a header full of them would take its length squared. */
const MEMBER =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+[ \t]*)?(?:;[\t\x20-\x7e]*)?$/;

/** The member that names a preview; made once for all of its requests. */
export function baggageOf(key: string): string {
  return `${NAME}=${encodeURIComponent(key)}`;
}

/**
 * Writes both into the headers. A visitor's own trace is gone on with; where there is none that is one, it begins here,
 * and is to be recorded: an application asks whoever is before it first, and in a preview nothing is to be missed.
 * Of a visitor's baggage all is passed on but what says that it is another preview's.
 */
export function createTraceContext(): (headers: IncomingHttpHeaders, own: string) => void {
  const newId = idSource();
  return (headers, own) => {
    const { traceparent, baggage } = headers;
    if (typeof traceparent !== "string" || !TRACEPARENT.test(traceparent)) {
      headers.traceparent = newId();
      if (headers.tracestate !== undefined) delete headers.tracestate;
    }
    headers.baggage = baggage === undefined ? own : merged(own, String(baggage));
  };
}

function merged(own: string, theirs: string): string {
  const kept = [own];
  let bytes = own.length;
  const parts = theirs.slice(0, BYTES_MAX).split(",");
  // What was cut in the middle says something else.
  if (theirs.length > BYTES_MAX) parts.pop();
  for (const part of parts) {
    const member = part.trim();
    const name = MEMBER.exec(member)?.[1];
    if (name === undefined || name === NAME) continue;
    bytes += 1 + member.length;
    if (bytes > BYTES_MAX || kept.length === MEMBERS_MAX) break;
    kept.push(member);
  }
  return kept.join(",");
}

const ID_BYTES = 24;
const IDS_AT_ONCE = 256;

/** Chance is asked for in large pieces: by itself it costs more than all the rest. */
function idSource(): () => string {
  const chance = Buffer.alloc(ID_BYTES * IDS_AT_ONCE);
  let at = chance.length;
  return () => {
    if (at === chance.length) {
      randomFillSync(chance);
      at = 0;
    }
    const id = chance.toString("hex", at, at + ID_BYTES);
    at += ID_BYTES;
    // Sampled, and of chance alone (level 2).
    return `00-${id.slice(0, 32)}-${id.slice(32)}-03`;
  };
}
