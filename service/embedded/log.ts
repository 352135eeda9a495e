import { createWriteStream, type WriteStream } from "node:fs";
import { join } from "node:path";
import pino, { type Logger } from "pino";

export interface LogOptions {
  readonly dataDir: string;
  /** `stackling.log` in the data folder, or stderr, where a container's log is looked for. */
  readonly to: "file" | "stderr";
  readonly onError: (line: string) => void;
}

/** Everything goes to one place as JSON lines; from a file, what a person must see goes to `onError` too. */
export function openLog({ dataDir, to, onError }: LogOptions): { readonly logger: Logger; close(): Promise<void> } {
  const settings = { base: undefined, timestamp: pino.stdTimeFunctions.isoTime };
  if (to === "stderr") return { logger: pino(settings, process.stderr), close: async () => undefined };
  const file: WriteStream = createWriteStream(join(dataDir, "stackling.log"), { flags: "a", mode: 0o600 });
  const screen = { write: (line: string) => onError(readable(line)) };
  const logger = pino(
    settings,
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
