/** Answers that stay open: log lines and a preview's changes. Bounded in number, ended with the client. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { StacklingError } from "../../components/errors.ts";
import type { LogLine, LogQuery } from "../../components/ports.ts";
import { whenLeft } from "../leaving.ts";
import type { Store } from "../store/store.ts";

export interface Streams {
  /** NDJSON, one `LogLine` each; an error in the middle ends it with one `{"error": …}` line. */
  logs(response: ServerResponse, read: (signal: AbortSignal) => AsyncIterable<LogLine>): Promise<void>;
  /** The same with lines of any kind. */
  lines(response: ServerResponse, read: (signal: AbortSignal) => AsyncIterable<object>): Promise<void>;
  /** NDJSON: one line at once, then nothing until the client leaves or `until` aborts. */
  hold(response: ServerResponse, line: unknown, until: AbortSignal): Promise<void>;
  /** Server-sent events: `describe` is asked at once and after each change; undefined ends the stream. */
  changes(response: ServerResponse, options: ChangesOptions): Promise<void>;
  /** Server-sent events that say which previews changed and nothing else: `{"keys": [...]}`, null for more than can be said. */
  keys(response: ServerResponse, options: KeysOptions): Promise<void>;
  /** Up to where the store's changes came; what is read after this holds at least those. */
  seen(): string;
}

export interface KeysOptions {
  /** Only this preview's changes; absent: any. */
  readonly key?: string;
  /** As `seen` gave it, or `Last-Event-ID`; where changes came since, an event says so at once. */
  readonly since?: string;
  /** Of all keys those that may be said. */
  readonly wanted?: (key: string) => boolean;
  /** Of nobody that is known: counted apart, so that they crowd out none who is. */
  readonly isStranger?: boolean;
}

export interface ChangesOptions {
  /** Only this preview's changes; absent: any. */
  readonly key?: string;
  readonly describe: () => Promise<Change | undefined>;
}

export interface Change {
  readonly state: unknown;
  /** Nothing will follow: the stream ends after it. */
  readonly last: boolean;
}

export type LogReader = (key: string, query: LogQuery) => AsyncIterable<LogLine>;

/** Reason of what is refused while so many are open. */
export const BUSY = "Busy";
const OPEN_MAX = 256;
const AGAIN_SECONDS = 5;
const HEARTBEAT_MS = 15_000;
/** Many changes in a moment are one event. */
const SETTLE_MS = 100;
/** The first change is told at once, and those that come this soon after it together. */
export const BATCH_MS = 250;
/** More are not named one by one. */
const KEYS_MAX = 100;

export function createStreams({ store }: { readonly store: Pick<Store, "onChange"> }): Streams {
  const open = { known: 0, strangers: 0 };
  // Of this process: what another one, or an earlier life of it, has seen is not known here.
  const life = randomUUID().slice(0, 8);
  let count = 0;
  store.onChange(() => {
    count += 1;
  });
  const seen = () => `${life}-${count}`;
  const admitted = async (
    response: ServerResponse,
    work: (signal: AbortSignal) => Promise<void>,
    whose: keyof typeof open = "known",
  ) => {
    if (open[whose] >= OPEN_MAX) {
      response.setHeader("Retry-After", AGAIN_SECONDS);
      throw new StacklingError({ reason: BUSY, userMessage: `opening a stream: ${OPEN_MAX} are open already` });
    }
    open[whose] += 1;
    try {
      await work(whenLeft(response));
    } finally {
      open[whose] -= 1;
      response.end();
    }
  };

  const lines: Streams["lines"] = (response, read) =>
    admitted(response, (signal) => sendLines({ response, signal }, read));
  return {
    logs: lines,
    lines,
    seen,
    hold: (response, line, until) =>
      admitted(response, async (left) => {
        begin(response, "application/x-ndjson; charset=utf-8");
        response.write(`${JSON.stringify(line)}\n`);
        const ended = AbortSignal.any([left, until]);
        if (!ended.aborted) await once(ended, "abort");
      }),
    keys: (response, options) =>
      admitted(
        response,
        (signal) => sendKeys({ store, response, signal }, { ...options, seen }),
        options.isStranger ? "strangers" : "known",
      ),
    changes: (response, options) => admitted(response, (signal) => sendChanges({ store, response, signal }, options)),
  };
}

export function plainError(error: unknown): { readonly reason: string; readonly message: string } {
  if (error instanceof StacklingError) return { reason: error.reason, message: error.userMessage };
  return { reason: "Internal", message: "something went wrong; the log of the service says what" };
}

interface Opened {
  readonly response: ServerResponse;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
}

async function sendLines(
  { response, signal }: Opened,
  read: (signal: AbortSignal) => AsyncIterable<object>,
): Promise<void> {
  begin(response, "application/x-ndjson; charset=utf-8");
  try {
    for await (const line of read(signal)) if (!(await write(response, `${JSON.stringify(line)}\n`))) return;
  } catch (error) {
    if (!signal.aborted) response.write(`${JSON.stringify({ error: plainError(error) })}\n`);
  }
}

interface Watching extends Opened {
  readonly store: Pick<Store, "onChange">;
}

function sendKeys(
  watching: Watching,
  { key, since, wanted, seen }: KeysOptions & Pick<Streams, "seen">,
): Promise<void> {
  const { response, signal } = watching;
  let changed = new Set<string>();
  let unsaid = since !== undefined && since !== seen();
  return sendEvents(watching, {
    note: (which) => {
      const concerns = (key === undefined || which === key) && wanted?.(which) !== false;
      if (concerns) changed.add(which);
      return concerns;
    },
    isDue: () => unsaid || changed.size > 0,
    say: async () => {
      const said = unsaid || changed.size > KEYS_MAX ? null : [...changed];
      [changed, unsaid] = [new Set(), false];
      const sent = await write(response, `id: ${seen()}\ndata: ${JSON.stringify({ keys: said })}\n\n`);
      if (sent) await settle(signal, BATCH_MS);
      return sent;
    },
  });
}

function sendChanges(watching: Watching, { key, describe }: ChangesOptions): Promise<void> {
  const { response, signal } = watching;
  let changed = true;
  let isFirst = true;
  return sendEvents(watching, {
    note: (which) => {
      const concerns = key === undefined || which === key;
      changed ||= concerns;
      return concerns;
    },
    isDue: () => changed,
    say: async () => {
      if (!isFirst) await settle(signal, SETTLE_MS);
      [changed, isFirst] = [false, false];
      const change = signal.aborted ? undefined : await describe();
      if (!change) return false;
      return (await write(response, `data: ${JSON.stringify(change.state)}\n\n`)) && !change.last;
    },
  });
}

interface Events {
  /** Of each preview that changed; true where that is to be told of. */
  note(key: string): boolean;
  isDue(): boolean;
  /** False: nothing follows. */
  say(): Promise<boolean>;
}

/** Server-sent events until there are no more, or the client leaves. */
async function sendEvents({ store, response, signal }: Watching, { note, isDue, say }: Events): Promise<void> {
  begin(response, "text/event-stream; charset=utf-8");
  let wake = () => {};
  const unsubscribe = store.onChange((key) => note(key) && wake());
  signal.addEventListener("abort", () => wake());
  const heartbeat = setInterval(() => response.write(": still here\n\n"), HEARTBEAT_MS);
  try {
    while (!signal.aborted) {
      if (!isDue()) await new Promise<void>((resolve) => (wake = resolve));
      else if (!(await say())) return;
    }
  } finally {
    clearInterval(heartbeat);
    unsubscribe();
  }
}

function begin(response: ServerResponse, type: string): void {
  response.writeHead(200, { "Content-Type": type, "Cache-Control": "no-store", "X-Accel-Buffering": "no" });
  response.flushHeaders();
}

/** False when the client is gone. A slow reader slows the source, not the memory. */
export async function write(response: ServerResponse, text: string): Promise<boolean> {
  if (response.destroyed) return false;
  if (response.write(text)) return true;
  // The one that did not come is not listened for any longer: a slow reader may take thousands of turns.
  const over = new AbortController();
  const either = ["drain", "close"].map((event) => once(response, event, { signal: over.signal }));
  await Promise.race(either).finally(() => over.abort());
  return !response.destroyed;
}

async function settle(signal: AbortSignal, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}
