/** The service's own log: one line an event, as JSON, with the preview and the delivery that it is about and no secret. */
import { createWriteStream, type WriteStream } from "node:fs";
import pino, { type Logger } from "pino";
import { layout } from "../../components/local/layout.ts";
import { createPretty } from "./pretty.ts";
import { createLineFilter } from "./without-secrets.ts";

export interface LogOptions {
  readonly dataDir: string;
  /** `stackling.log` in the data folder, or stderr, where a container's log is looked for. */
  readonly to: "file" | "stderr";
  /** Of each line: the preview and the delivery that it comes of. */
  readonly fields: () => object;
  /** What is known of the operator's secrets, by their values. */
  readonly secrets: readonly string[];
  readonly onError: (line: string) => void;
}

export interface ServiceLog {
  readonly logger: Logger;
  close(): Promise<void>;
}

/**
 * Everything goes to one place as JSON lines, or for people where that is a terminal; from a file, what a person must
 * see goes to `onError` too. Every line passes the filter as it will be written, whoever wrote it and whatever it holds.
 */
export function openLog({ dataDir, to, fields, secrets, onError }: LogOptions): ServiceLog {
  const settings: pino.LoggerOptions = {
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    mixin: fields,
    hooks: { streamWrite: createLineFilter(secrets) },
  };
  if (to === "stderr") {
    const stream = process.stderr.isTTY ? createPretty(process.stderr) : process.stderr;
    return { logger: pino(settings, stream), close: async () => undefined };
  }
  const file = appending(layout(dataDir).ownLog, {
    onError,
    onBack: (lost) => logger.error({ lines: lost }, `the log is written again; up to ${lost} lines of it were lost`),
  });
  const screen = { write: (line: string) => onError(readable(line)) };
  const logger = pino(
    settings,
    pino.multistream([
      { level: "info", stream: file },
      { level: "error", stream: screen },
    ]),
  );
  return { logger, close: file.close };
}

/**
 * What is written at the end of a file. A stream is over after its first error, such as a full disk; the next line is
 * tried with a new one, so that a log that cannot be written ends no service. What comes after the end is left out.
 */
function appending(
  path: string,
  { onError, onBack }: Pick<LogOptions, "onError"> & { readonly onBack: (lost: number) => void },
) {
  let [isAway, isClosed, lost] = [false, false, 0];
  let stream: WriteStream | undefined;
  const begin = () =>
    createWriteStream(path, { flags: "a", mode: 0o600 }).on("error", ({ message }) => {
      stream = undefined;
      if (!isAway) onError(`the log cannot be written: ${message}`);
      isAway = true;
    });
  return {
    write(line: string): void {
      if (isClosed) return;
      // The stream before may have ended within a line.
      const start = !stream && isAway ? "\n" : "";
      stream ??= begin();
      stream.write(`${start}${line}`, (error) => {
        if (error) {
          lost += 1;
          return;
        }
        const missing = lost;
        [isAway, lost] = [false, 0];
        if (missing > 0) onBack(missing);
      });
    },
    close: () => {
      isClosed = true;
      return new Promise<void>((resolve) => (stream ? stream.end(() => resolve()) : resolve()));
    },
  };
}

function readable(line: string): string {
  const { msg, err } = JSON.parse(line) as { readonly msg?: string; readonly err?: { readonly message?: string } };
  return [msg, err?.message].filter(Boolean).join(": ");
}
