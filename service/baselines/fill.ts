/** What a baseline can be built from. */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { execa } from "execa";
import { StacklingError, TerminalError } from "../../components/errors.ts";
import { withClient } from "../../components/local/database-client.ts";
import { loadScript } from "./load.ts";
import { scriptOfArchive, scriptOfDatabase } from "./programs.ts";

const EXCERPT_LINES = 20;

export interface FillOptions {
  /** Told what is being done, in a few words. */
  readonly onStep?: (doing: string) => void;
  /** Of a dump: awaited when its tables are made and before their first row. */
  readonly beforeRows?: (url: string) => Promise<void>;
  readonly signal?: AbortSignal;
}

export type Fill = (url: string) => Promise<void>;

/** A file of `pg_dump`: plain SQL, the same gzipped, or an archive, which needs `pg_restore` on PATH. */
export function fillFromDump(file: string, options: FillOptions = {}): Fill {
  return (url) => load(url, { script: scriptOfFile(file, options), name: file, ...options });
}

/** The database of another URL, read by `pg_dump` on PATH. Both URLs are secret. */
export function fillFromUrl(source: string, options: FillOptions = {}): Fill {
  const script = () => scriptOfDatabase(source, { environment: process.env, ...options });
  return (url) => load(url, { script: script(), name: "the database to copy", ...options });
}

function load(
  url: string,
  {
    script,
    name,
    onStep,
    beforeRows,
    signal,
  }: FillOptions & { readonly script: AsyncIterable<Uint8Array>; readonly name: string },
): Promise<void> {
  const options = {
    script,
    name,
    ...(onStep ? { onStep } : {}),
    ...(beforeRows ? { beforeRows: () => beforeRows(url) } : {}),
    ...(signal ? { signal } : {}),
  };
  return withClient(url, (client) => loadScript(client, options), signal);
}

async function* scriptOfFile(file: string, { signal }: FillOptions): AsyncGenerator<Uint8Array> {
  const kind = await kindOfDump(file);
  if (kind === "archive") yield* scriptOfArchive(file, { environment: process.env, ...(signal ? { signal } : {}) });
  else if (kind === "gzip") yield* unzipped(file);
  else yield* createReadStream(file);
}

function unzipped(file: string): AsyncIterable<Uint8Array> {
  const unzip = createGunzip();
  // `pipe` keeps an error of the file to itself.
  const zipped = createReadStream(file).on("error", (error) => unzip.destroy(error));
  return zipped.pipe(unzip);
}

/** By how it begins. Throws `TerminalError` (`SeedFailed`) when it cannot be read. */
export async function kindOfDump(file: string): Promise<"archive" | "gzip" | "script"> {
  const start = await startOf(file);
  if (start.toString("latin1") === "PGDMP") return "archive";
  return start[0] === 0x1f && start[1] === 0x8b ? "gzip" : "script";
}

async function startOf(file: string): Promise<Buffer> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(5), 0, 5, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    const why =
      code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : "it cannot be read";
    throw new TerminalError({ reason: "SeedFailed", userMessage: `reading the dump "${file}": ${why}`, cause });
  }
}

/** Runs a shell command in `directory` with `DATABASE_URL` set and an environment built from nothing. */
export function fillFromCommand(command: string, directory: string, { signal }: FillOptions = {}): Fill {
  return async (url) => {
    const { PATH, HOME } = process.env;
    const result = await execa(command, {
      shell: "/bin/sh",
      cwd: directory,
      extendEnv: false,
      env: { PATH, HOME, LANG: "C.UTF-8", DATABASE_URL: url },
      all: true,
      reject: false,
      ...(signal ? { cancelSignal: signal } : {}),
    });
    if (!result.failed) return;
    const excerpt = result.all.replaceAll(url, "[url]").split("\n").filter(Boolean).slice(-EXCERPT_LINES);
    const why = result.exitCode === undefined ? "could not be run" : `ended with exit code ${result.exitCode}`;
    throw new StacklingError({ reason: "SeedFailed", userMessage: `the command "${command}" ${why}`, excerpt });
  };
}
