/** LISTEN on one connection of its own, opened again for as long as it takes when it is lost. */
import pg from "pg";
import type { Logger } from "pino";
import { codeOf } from "./database.ts";

const RETRY_MS = 500;
const SILENCE_MS = 15_000;

export interface Listener {
  close(): Promise<void>;
}

export interface ListenerOptions {
  readonly url: string;
  readonly channels: readonly string[];
  readonly logger: Logger;
  readonly onNotify: (channel: string, payload: string) => void;
  /** After each connection: whatever was notified in between was missed. */
  readonly onConnected: () => void;
  /** Between two questions whether the server still answers, and how long each may take. */
  readonly silenceMs?: number;
}

/** Starts listening and returns at once; `onConnected` tells when it stands. */
export function listen(options: ListenerOptions): Listener {
  const { silenceMs = SILENCE_MS } = options;
  const state: { client?: pg.Client; timer?: NodeJS.Timeout; closed: boolean } = { closed: false };
  void connect();
  return {
    async close() {
      state.closed = true;
      clearTimeout(state.timer);
      await state.client?.end().catch(() => {});
    },
  };

  async function connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: options.url,
      application_name: "stackling-listen",
      connectionTimeoutMillis: 5_000,
      query_timeout: silenceMs,
      keepAlive: true,
    });
    state.client = client;
    let lost = false;
    const again = (error?: unknown) => {
      if (lost || state.closed) return;
      lost = true;
      if (error) options.logger.warn({ code: codeOf(error) }, "listening to the store was interrupted");
      void client.end().catch(() => {});
      state.timer = setTimeout(() => void connect(), RETRY_MS);
    };
    client.on("error", again);
    client.on("end", () => again());
    client.on("notification", ({ channel, payload }) => options.onNotify(channel, payload ?? ""));
    try {
      await client.connect();
      for (const channel of options.channels) await client.query(`listen ${client.escapeIdentifier(channel)}`);
      if (!state.closed) options.onConnected();
      probe(client, again);
    } catch (error) {
      again(error);
    }
  }

  /** A connection cut without a FIN would look alive for hours; a query now and then tells. */
  function probe(client: pg.Client, again: (error: unknown) => void): void {
    const timer = setInterval(() => {
      client.query("select 1").catch(again);
    }, silenceMs);
    timer.unref();
    client.on("end", () => clearInterval(timer));
  }
}
