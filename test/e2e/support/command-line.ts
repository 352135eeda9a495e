/** The real `stackling` program in child processes, as a person or a script calls it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";

const PROGRAM = fileURLToPath(new URL("../../../bin/stackling.mjs", import.meta.url));

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that was started and may still run. */
export interface Running {
  readonly pid: number;
  /** What it wrote so far. */
  readonly said: { readonly stdout: string; readonly stderr: string };
  /** Waits for text on standard output and returns the match. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  complains(pattern: RegExp): Promise<RegExpExecArray>;
  signal(name: NodeJS.Signals): void;
  /** Waits until it ends by itself. */
  ended(): Promise<Run>;
}

export interface CommandLine {
  /** A folder of its own for temporary files; what is left in it was forgotten by the program. */
  readonly temporary: string;
  /** Named by `--data` in every call of `run` and `start`. */
  readonly dataDir: string;
  /** Runs to the end. */
  run(...args: readonly string[]): Promise<Run>;
  /** The same, from another folder. */
  runIn(directory: string, ...args: readonly string[]): Promise<Run>;
  start(...args: readonly string[]): Running;
  /** Ends what still runs, and removes both folders. */
  remove(): Promise<void>;
}

const PATIENCE_MS = 90_000;

/** @param of data folder of an instance that runs already; default: one of its own */
export async function prepareCommandLine({ of }: { readonly of?: string } = {}): Promise<CommandLine> {
  const root = await mkdtemp(join(tmpdir(), "stackling-cli-"));
  const [dataDir, temporary] = [of ?? join(root, "data"), await mkdtemp(join(root, "tmp-"))];
  for (const folder of [root, temporary]) await chmod(folder, 0o711);
  const started = new Set<{ readonly child: ChildProcess; readonly running: Running }>();
  const env = {
    ...process.env,
    PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ""}`,
    TMPDIR: temporary,
  };
  const start = (directory: string, args: readonly string[]): Running => {
    const at = args.indexOf("--");
    const [ours, theirs] = at < 0 ? [args, []] : [args.slice(0, at), args.slice(at)];
    const all = ours[0] === "demo" || ours[0] === "config" ? args : [...ours, "--data", dataDir, ...theirs];
    const child = spawn(process.execPath, [PROGRAM, ...all], {
      cwd: directory,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const running = watch(child, args.join(" "));
    started.add({ child, running });
    return running;
  };
  return {
    temporary,
    dataDir,
    start: (...args) => start(root, args),
    run: (...args) => start(root, args).ended(),
    runIn: (directory, ...args) => start(directory, args).ended(),
    remove: async () => {
      for (const { child, running } of started) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        child.kill("SIGTERM");
        await running.ended();
      }
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Serves one local repository as `app` until its first pull request is live; resolves with the port. */
export async function serveApp(cli: CommandLine, repositoryPath: string): Promise<number> {
  const port = await freePort();
  const config = join(cli.temporary, "stackling.yaml");
  await writeFile(config, `port: ${port}\nrepositories:\n  - { path: ${repositoryPath}, name: app }\n`);
  await cli.start("serve", "--config", config).says(/app#1\s+live/);
  return port;
}

/** Command lines of all processes that carry the folder in their arguments, environment or working folder. */
export async function processesOn(folder: string): Promise<readonly string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, "latin1").catch(() => "");
      const [command, environment] = await Promise.all([read("cmdline"), read("environ")]);
      return command.includes(folder) || environment.includes(folder) ? [command.replaceAll("\0", " ").trim()] : [];
    }),
  );
  return found.flat();
}

function watch(child: ChildProcess, what: string): Running {
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
    });
  }
  let over = false;
  const ended = once(child, "close").then(([code]): Run => {
    over = true;
    return { code: code as number | null, ...said };
  });
  const finds = (name: keyof typeof said) => (pattern: RegExp) =>
    eventually(
      () => {
        const match = pattern.exec(said[name]);
        if (!match && over) throw new Error(`it ended; ${JSON.stringify(said)}`);
        return match;
      },
      { timeoutMs: PATIENCE_MS, what: `"stackling ${what}" to say ${pattern}` },
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${said.stdout}\n${said.stderr}`);
    });
  return {
    pid: child.pid ?? 0,
    said,
    says: finds("stdout"),
    complains: finds("stderr"),
    signal: (name) => void child.kill(name),
    ended: () => ended,
  };
}
