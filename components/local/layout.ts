/** Where everything lies in the data folder. Nothing else puts such a path together. */
import { createHash } from "node:crypto";
import { chmod, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { TerminalError } from "../errors.ts";

/** Names of stacks, services and releases become file names: one plain alphabet, no way out of a folder. */
const PLAIN = /^[a-z0-9][a-z0-9-]{0,127}$/;

/** Open to pass through, closed to list: previews run as users of their own and must reach their folder only. */
const PASS_THROUGH = 0o711;

/** Paths of the data folder. Throws `TerminalError` (`SpecInvalid`) for a name that is not plain. */
export function layout(dataDir: string) {
  const root = (...parts: string[]) => join(dataDir, ...parts);
  return {
    root: dataDir,
    /** 0600: version, url, port, token, pid, startTime. */
    instance: root("instance.json"),
    passphrase: root("passphrase"),
    postgres: root("postgres"),
    /** 0600: URL of the previews' server with the right to create databases. */
    previewsUrl: root("postgres", "previews.url"),
    /** What that server says. */
    previewsLog: root("postgres", "previews", "server.log"),
    /** 0600: what the service says of itself. */
    ownLog: root("stackling.log"),
    state: root("state"),
    pulumiHome: root("pulumi-home"),
    engineRuns: root("engine-runs"),
    users: root("uids.json"),
    /** 0600: where the egress proxy listens, and what the previews' passwords come of. */
    egress: root("egress.json"),
    runtime: root("runtime"),
    installCache: root("cache", "install"),
    fences: root("fences"),
    fence: (stack: string) => root("fences", plain("stack", stack)),
    /** 0700: what each preview took so far; outlives it. */
    usage: root("usage"),
    usageOf: (stack: string) => root("usage", `${plain("stack", stack)}.json`),
    mirrors: root("mirrors"),
    gitConfig: root("mirrors", "git.config"),
    /** The address is hashed, for it may hold anything. */
    mirror: (repository: string) => root("mirrors", `${mirrorName(repository)}.git`),
    previews: root("previews"),
    preview: (stack: string) => previewLayout(root("previews", plain("stack", stack))),
  } as const;
}

export type PreviewLayout = ReturnType<typeof previewLayout>;

/** Makes the folders that must be there before anything else; safe to call again. */
export async function prepareDataDir(dataDir: string): Promise<void> {
  const paths = layout(dataDir);
  for (const folder of [dataDir, paths.previews, join(dataDir, "cache"), paths.installCache]) {
    await mkdir(folder, { recursive: true });
    await chmod(folder, PASS_THROUGH);
  }
  for (const folder of [paths.fences, paths.mirrors, paths.usage])
    await mkdir(folder, { recursive: true, mode: 0o700 });
}

/** Throws unless `value` can be a file name of its own and nothing else. */
export function plain(what: string, value: string): string {
  if (PLAIN.test(value)) return value;
  throw new TerminalError({
    reason: "SpecInvalid",
    userMessage: `using ${what} name ${JSON.stringify(value)}: only a-z, 0-9 and "-" are allowed`,
  });
}

/** `directory` below `folder`. Throws `TerminalError` (`SpecInvalid`) when it leads out. */
export function inside(folder: string, directory: string): string {
  const path = resolve(folder, directory);
  if (path === folder || path.startsWith(`${folder}/`)) return path;
  throw new TerminalError({
    reason: "SpecInvalid",
    userMessage: `using directory ${JSON.stringify(directory)}: it lies outside of the source`,
  });
}

function previewLayout(folder: string) {
  return {
    folder,
    checkouts: join(folder, "checkouts"),
    checkout: (id: string) => checkoutLayout(join(folder, "checkouts", plain("checkout", id))),
    services: join(folder, "services"),
    release: (id: string) => releaseLayout(join(folder, "services"), plain("release", id)),
    logs: join(folder, "logs"),
    log: (name: string) => join(folder, "logs", `${plain("log", name)}.log`),
    routes: join(folder, "routes"),
    route: (service: string) => join(folder, "routes", `${plain("service", service)}.json`),
    /** 0700: what is taken out of logs. */
    hidden: join(folder, "hidden"),
    flags: (id: string) => join(folder, "flags", `${plain("flags", id)}.json`),
    egress: join(folder, "egress.json"),
    refusedCalls: join(folder, "refused-calls.json"),
    home: join(folder, "home"),
    tmp: join(folder, "tmp"),
  } as const;
}

function checkoutLayout(folder: string) {
  return {
    folder,
    /** Of the git that writes the tree. */
    index: `${folder}.index`,
    /** Empty; there once the tree is installed and built. */
    complete: `${folder}.complete`,
    /** Empty; there once the engine's state is known to hold the checkout. */
    known: `${folder}.known`,
  } as const;
}

function releaseLayout(services: string, id: string) {
  const folder = join(services, id);
  return {
    folder,
    /** Beside the folder, for it is held while the folder is removed. */
    lock: join(services, `.${id}.lock`),
    /** What to run; 0600, for it holds the environment. */
    launch: join(folder, "launch.json"),
    /** What runs now. */
    process: join(folder, "process.json"),
    /** Empty; there once the engine's state is known to hold the release. */
    known: join(folder, "known"),
  } as const;
}

function mirrorName(repository: string): string {
  const readable = repository
    .toLowerCase()
    .replace(/\.git$/, "")
    .replace(/[^a-z0-9]+/g, "-")
    .slice(-40)
    .replace(/^-+|-+$/g, "");
  return `${readable || "repository"}-${createHash("sha256").update(repository).digest("hex").slice(0, 12)}`;
}
