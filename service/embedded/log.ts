import { createWriteStream, type WriteStream } from "node:fs";
import { join } from "node:path";
import pino, { type Logger } from "pino";

/** Everything goes to `stackling.log` in the data folder, as JSON lines; what a person must see goes to `onError` too. */
export function openLog(
  dataDir: string,
  onError: (line: string) => void,
): { readonly logger: Logger; close(): Promise<void> } {
  const file: WriteStream = createWriteStream(join(dataDir, "stackling.log"), { flags: "a", mode: 0o600 });
  const screen = { write: (line: string) => onError(readable(line)) };
  const logger = pino(
    { base: undefined, timestamp: pino.stdTimeFunctions.isoTime },
    pino.multistream([
      { level: "info", stream: file },
      { level: "error", stream: screen },
    ]),
  );
  return { logger, close: () => new Promise((resolve) => file.end(() => resolve())) };
}

function readable(line: string): string {
  const { msg, err } = JSON.parse(line) as { readonly msg?: string; readonly err?: { readonly message?: string } };
  return [msg, err?.message].filter(Boolean).join(": ");
}
