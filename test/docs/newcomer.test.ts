/**
 * A newcomer's way: README, then "One machine", to live previews, on a fresh clone. The commands are read from the pages
 * and run as they stand there; one that has no step here fails, so that none is shown which nobody ran.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { processesOn } from "../e2e/support/command-line.ts";
import { visitorOf } from "../e2e/support/visitor.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { requires } from "../support/requires.ts";
import { type Block, blocksOf, root, textOf } from "./support/pages.ts";

const PAGE = "docs/start/one-machine.md";
const PATIENCE_MS = 120_000;
/** What `my-app` answers; it has nothing to install, as no registry belongs to this test. */
const APP = {
  "package.json": JSON.stringify({
    name: "my-app",
    version: "1.0.0",
    private: true,
    scripts: { start: "node server.mjs", migrate: "node migrate.mjs", seed: "node migrate.mjs" },
  }),
  "package-lock.json": JSON.stringify({
    name: "my-app",
    version: "1.0.0",
    lockfileVersion: 3,
    requires: true,
    packages: { "": { name: "my-app", version: "1.0.0" } },
  }),
  "migrate.mjs": 'if (!process.env.DATABASE_URL) throw new Error("no DATABASE_URL");\n',
  "server.mjs":
    'import { createServer } from "node:http";\ncreateServer((request, response) => response.end("my app")).listen(process.env.PORT);\nconsole.log("listening");\n',
};

describe("a newcomer on a fresh clone", requires("engine", "postgres"), () => {
  let folder: string;
  let clone: string;
  let port: number;
  /** Has a data folder and a port of its own, so that it may run beside the others. */
  let demo: Shell;
  const shells = new Set<Shell>();
  const walked = new Set<string>();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-newcomer-"));
    // Users of previews pass through on their way to their own folders.
    await chmod(folder, 0o711);
    clone = join(folder, "stackling");
    port = await freePort();
    git(root, "clone", "--quiet", "--local", "--shared", root, clone);
    await lendPackages(join(clone, "node_modules"));
    await write(join(folder, "my-app"), APP);
    git(join(folder, "my-app"), "init", "--quiet", "--initial-branch=main");
    commit(join(folder, "my-app"), "Begin");
  });
  after(async () => {
    for (const shell of shells) await shell.interrupt();
    const left = await processesOn(folder);
    await rm(folder, { recursive: true, force: true });
    assert.deepEqual(left, []);
  });

  it("starts Stackling as README and page say, and opens the shop's pull requests", async () => {
    assert.match(blocksOf("README.md").find(({ language }) => language === "sh")?.text ?? "", /^npm start {2}/);
    const service = start(blockWith("npm start"));
    demo = start(blockWith("npx . demo"));
    for (const number of [1, 2, 3]) {
      const [, link = ""] = await service.says(new RegExp(`live\\s+(http://pr-${number}-shop\\.localhost:\\d+)`));
      assert.match((await visitorOf(link).get("/")).text, /<html/);
    }
  });

  it("adds a preview of a repository of its own to the service that runs, and takes it away", async () => {
    const up = await run(blockWith("npx . up"));
    assert.match(up.text, new RegExp(`http://\\S+:${port}`));
    const [link = ""] = /http:\/\/\S+/.exec(up.text) ?? [];
    assert.equal((await visitorOf(link).get("/")).text, "my app");
    await run(spanWith("npx . down"));
    assert.match((await run(blockWith("npx . up", "README.md"))).text, new RegExp(`http://\\S+:${port}`));
    await [...shells][0]?.interrupt();
  });

  it("shows a pull request's whole life meanwhile", async () => {
    const { code } = await demo.ended();
    assert.equal(code, 0, demo.text());
    assert.match(demo.text(), /gone/);
  });

  it("takes the preview.yaml of the page, which its check finds right", async () => {
    await writeFile(join(folder, "my-app", "preview.yaml"), blockWith("# preview.yaml"));
    assert.match((await run(blockWith("npx . config"))).text, /preview\.yaml/);
    commit(join(folder, "my-app"), "Say how it runs");
  });

  it("serves each branch, removes the example, lists the branch, shows what it prints, and says what the machine lacks", async () => {
    const app = join(folder, "my-app");
    git(app, "checkout", "--quiet", "-b", "feature");
    await write(app, { "note.txt": "new" });
    commit(app, "Add a note");
    await writeFile(join(clone, "stackling.yaml"), blockWith("# stackling.yaml"));
    const service = start(blockWith("npx . serve"));
    const [, link = ""] = await service.says(/my-app#1\s+live\s+(http:\S+)/);
    assert.equal((await visitorOf(link).get("/")).text, "my app");
    const swept = await run(spanWith("npx . sweep"));
    for (const number of [1, 2, 3]) assert.match(swept.text, new RegExp(`^shop#${number}: .*; removed$`, "m"));
    const [list, logs, doctor] = ["ls", "logs", "doctor"].map((verb) => start(spanWith(`npx . ${verb}`)));
    await list?.says(/my-app#1/);
    await logs?.says(/listening/);
    await logs?.interrupt();
    // What a machine lacks is no fault of the page.
    await doctor?.says(/engine/i);
    for (const shell of [list, doctor]) assert.notEqual((await shell?.ended())?.code, 2, shell?.text());
    assert.doesNotMatch(list?.text() ?? "", /shop#/);
    await service.interrupt();
  });

  it("was shown no command and no file that it did not run or take", () => {
    const shown = blocksOf(PAGE).map(({ text }) => text);
    const named = spans();
    assert.deepEqual(
      [...shown, ...named].filter((one) => !walked.has(one)),
      [],
    );
  });

  /** The one block of the page that begins so; from then on it counts as walked. */
  function blockWith(words: string, page = PAGE): string {
    const found: readonly Block[] = blocksOf(page).filter(({ text }) => text.startsWith(words));
    const [block] = found;
    assert.ok(block && found.length === 1, `${page}: ${found.length} blocks with "${words}"`);
    walked.add(block.text);
    return block.text;
  }

  /** A command that stands in a sentence of the page. */
  function spanWith(words: string): string {
    const span = spans().find((one) => one.startsWith(words));
    assert.ok(span, `${PAGE}: no command "${words}"`);
    walked.add(span);
    return span;
  }

  function start(command: string): Shell {
    const shell = openShell(command, {
      cwd: clone,
      env: {
        ...process.env,
        PATH: [dirname(process.execPath), process.env.PATH ?? ""].join(delimiter),
        STACKLING_DATA: join(folder, "data"),
        STACKLING_PORT: String(port),
      },
    });
    shells.add(shell);
    return shell;
  }

  async function run(command: string): Promise<{ readonly text: string }> {
    const shell = start(command);
    const { code } = await shell.ended();
    assert.equal(code, 0, `${command}\n${shell.text()}`);
    return { text: shell.text() };
  }
});

function spans(): readonly string[] {
  const prose = textOf(PAGE).replaceAll(/^( *)```[\s\S]*?^ *```$/gm, "");
  const named = [...prose.matchAll(/`(np[mx] [^`]+)`/g)].map(([, span = ""]) => span);
  return named.filter((span) => !["npm start", "npx ."].includes(span));
}

interface Shell {
  /** Both streams so far. */
  text(): string;
  says(pattern: RegExp): Promise<RegExpExecArray>;
  ended(): Promise<{ readonly code: number | null }>;
  /** Ctrl-C in its terminal: all of its processes hear it. */
  interrupt(): Promise<void>;
}

function openShell(command: string, { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv }): Shell {
  const child: ChildProcess = spawn("sh", ["-e"], { cwd, env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin?.end(command);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
    });
  }
  let over = false;
  const ended = once(child, "close").then(([code]) => {
    over = true;
    return { code: code as number | null };
  });
  return {
    text: () => text,
    says: (pattern) =>
      eventually(
        () => {
          const match = pattern.exec(text);
          if (!match && over) throw new Error(`"${command.trim()}" ended: ${text}`);
          return match;
        },
        { timeoutMs: PATIENCE_MS, what: `"${command.trim()}" to say ${pattern}` },
      ),
    ended: async () => {
      await eventually(() => over || undefined, {
        timeoutMs: PATIENCE_MS,
        what: `the end of "${command.trim()}", which said ${text}`,
      });
      return ended;
    },
    interrupt: async () => {
      if (!over && child.pid !== undefined) process.kill(-child.pid, "SIGINT");
      await ended;
    },
  };
}

/** The clone's own folder of links to the packages that are here: an install in it could take away no more than these. */
async function lendPackages(target: string): Promise<void> {
  const source = join(root, "node_modules");
  await mkdir(target);
  for (const name of await readdir(source)) await symlink(join(source, name), join(target, name));
  const [wanted, present] = await Promise.all(
    [join(target, "..", "package-lock.json"), join(source, ".package-lock.json")].map(async (file) => {
      const { packages } = JSON.parse(await readFile(file, "utf8")) as {
        readonly packages: Readonly<Record<string, { readonly version?: string; readonly optional?: boolean }>>;
      };
      return packages;
    }),
  );
  for (const [path, { version, optional }] of Object.entries(wanted ?? {})) {
    if (path === "" || optional) continue;
    assert.equal(present?.[path]?.version, version, `${path}: what is committed is not what is installed here`);
  }
}

async function write(place: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(place, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(place, name), text);
}

function commit(place: string, message: string): void {
  git(place, "add", "--all");
  git(place, "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "-m", message);
}

function git(place: string, ...args: readonly string[]): void {
  execFileSync("git", ["-C", place, ...args], { stdio: ["ignore", "ignore", "inherit"] });
}
