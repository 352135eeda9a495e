/** The Gitea of `tools/gitealab`: built once per user, started per suite with a folder and accounts of its own. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, open, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { execa } from "execa";
import { eventually } from "../eventually.ts";
import { freePort } from "../free-port.ts";
import { goLab } from "../go-lab.ts";

export interface Gitea {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  /** Token of an account; each may do all that its account may. */
  token(login: Login): string;
  /** Token of an account with no more than these scopes. */
  scoped(login: Login, scopes: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

/** `acme` is the server's administrator; the others are people, and the account that the service has. */
export type Login = (typeof LOGINS)[number];

const LOGINS = ["acme", "ada", "mallory", "stackling"] as const;
const START_WITHIN_MS = 120_000;

const modules = readFileSync(new URL("../../../tools/gitealab/go.mod", import.meta.url), "utf8");
export const giteaVersion = /code\.gitea\.io\/gitea v([0-9.]+)/.exec(modules)?.[1] ?? "";

const lab = goLab({
  name: "gitealab",
  building: "building Gitea for tests with Go (once, some minutes)",
  main: "code.gitea.io/gitea",
  flags: [`-X main.Version=${giteaVersion}`],
  tags: ["sqlite", "sqlite_unlock_notify"],
  cgo: true,
  reads: ["templates", "options", "public"],
});

/** Why this machine has no Gitea to test on; undefined when it is built or can be. Builds nothing. */
export const giteaFault = lab.fault;

/** Builds it where that was not done yet; see `goLab`. */
export const ensureGitea = lab.ensure;

/** Builds it first where that was not done yet. It ends with this process at the latest. */
export async function startGitea(): Promise<Gitea> {
  const built = await lab.ensure();
  const root = await realpath(await mkdtemp(join(tmpdir(), "stackling-gitea-")));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(root, "app.ini");
  await writeFile(config, iniOf({ built, root, port, url }), { mode: 0o600 });
  const program = join(built, "gitealab");
  const env = { PATH: process.env.PATH, HOME: root, GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT: "true" };
  const run = (...args: readonly string[]) => execa(program, ["--config", config, ...args], { env, extendEnv: false });
  await run("migrate");
  const tokens = new Map<Login, string>();
  for (const login of LOGINS) tokens.set(login, await addAccount(run, login));
  const log = await open(join(root, "log"), "w+");
  // It ends when its standard input does, whatever happens to us.
  const script = '"$0" --config "$1" web & server=$!; cat >/dev/null; kill "$server"; wait "$server"';
  const child = spawn("sh", ["-c", script, program, config], { env, stdio: ["pipe", log.fd, log.fd] });
  const stop = async () => {
    child.stdin?.end();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    await log.close();
    await rm(root, { recursive: true, force: true });
  };
  try {
    await eventually(async () => (await fetch(`${url}/api/v1/version`)).ok, {
      timeoutMs: START_WITHIN_MS,
      what: "Gitea answers",
    });
  } catch (error) {
    const words = readFileSync(join(root, "log"), "utf8").split("\n").slice(-15).join("\n");
    await stop();
    throw new Error(`starting Gitea failed:\n${words}`, { cause: error });
  }
  return {
    url,
    token: (login) => tokens.get(login) ?? "",
    async scoped(login, scopes) {
      const { stdout } = await run(
        ...["admin", "user", "generate-access-token", "--raw", "--username", login],
        ...["--token-name", randomBytes(4).toString("hex"), "--scopes", scopes.join(",")],
      );
      return tokenIn(stdout, login);
    },
    stop,
  };
}

type Run = (...args: readonly string[]) => Promise<{ readonly stdout: string }>;

async function addAccount(run: Run, login: Login): Promise<string> {
  const { stdout } = await run(
    ...["admin", "user", "create", "--username", login, "--email", `${login}@example.com`],
    ...["--random-password", "--must-change-password=false", ...(login === "acme" ? ["--admin"] : [])],
    ...["--access-token", "--access-token-name", "test", "--access-token-scopes", "all"],
  );
  return tokenIn(stdout, login);
}

/** Beside what the program has to say about its surroundings. */
function tokenIn(stdout: string, login: Login): string {
  const token = /(?:^|\s)([0-9a-f]{40})\s*$/.exec(stdout)?.[1];
  if (!token) throw new Error(`Gitea made no token for "${login}": ${stdout}`);
  return token;
}

function iniOf({ built, root, port, url }: { built: string; root: string; port: number; url: string }): string {
  return `RUN_USER = ${userInfo().username}
WORK_PATH = ${root}
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = ${port}
ROOT_URL = ${url}/
STATIC_ROOT_PATH = ${built}
DISABLE_SSH = true
SSH_USER = git
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = ${join(root, "gitea.db")}
[repository]
ROOT = ${join(root, "repositories")}
[security]
INSTALL_LOCK = true
SECRET_KEY = ${randomBytes(32).toString("hex")}
INTERNAL_TOKEN = ${randomBytes(32).toString("hex")}
[webhook]
ALLOWED_HOST_LIST = loopback
[service]
DISABLE_REGISTRATION = true
[indexer]
ISSUE_INDEXER_TYPE = db
[actions]
ENABLED = false
[packages]
ENABLED = false
[log]
MODE = console
LEVEL = Warn
`;
}
