import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { defaultLimits } from "../../../service/config/defaults.ts";
import { type Detection, detectApplication } from "../../../service/config/detect.ts";
import { commitTree, uncommittedFiles } from "../../../service/config/source-tree.ts";
import { findGitDir } from "../../../service/git.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";
import { createRepository } from "../../support/git-repository.ts";

async function detectIn(files: Readonly<Record<string, string>>): Promise<Detection> {
  const repository = await createRepository({ files });
  try {
    const tree = commitTree(await findGitDir(repository.path), await repository.head("main"));
    return await detectApplication(tree, defaultLimits);
  } finally {
    await repository.remove();
  }
}

async function foundIn(files: Readonly<Record<string, string>>) {
  const detection = await detectIn(files);
  assert.equal(detection.kind, "found", detection.kind === "missing" ? detection.write : "");
  return detection as Extract<Detection, { kind: "found" }>;
}

const manifest = (parts: object) => JSON.stringify({ name: "app", ...parts });

describe("detecting how an application runs", () => {
  it("takes preview.yaml before everything else", async () => {
    const { application } = await foundIn({
      "preview.yaml": "services: {site: ./serve}\n",
      "package.json": manifest({ scripts: { start: "node ." } }),
    });
    assert.equal(application.services[0]?.command, "./serve");
  });

  it("refuses a wrong preview.yaml with its line", async () => {
    await assert.rejects(detectIn({ "preview.yaml": "services:\n  web: {comand: x}\n" }), {
      message: /preview\.yaml:2: unknown key "comand" .* did you mean "command"\?/,
    });
  });

  it("starts a Node application with its lock file's tool, without a database when none is used", async () => {
    const cases = [
      [{ "package-lock.json": "{}" }, "npm ci --no-audit --no-fund", "npm start"],
      [{ "pnpm-lock.yaml": "" }, "corepack pnpm install --frozen-lockfile", "corepack pnpm start"],
      [{ "yarn.lock": "" }, "corepack yarn install --frozen-lockfile", "corepack yarn start"],
      [{ "yarn.lock": "", ".yarnrc.yml": "" }, "corepack yarn install --immutable", "corepack yarn start"],
    ] as const;
    for (const [lock, install, start] of cases) {
      const { application } = await foundIn({ "package.json": manifest({ scripts: { start: "node ." } }), ...lock });
      assert.deepEqual(application.install, [{ command: install, directory: "." }]);
      assert.equal(application.services[0]?.command, start);
      assert.equal(application.database, undefined);
    }
  });

  it("gives a database with migrations and seed to code that reads DATABASE_URL", async () => {
    const { application, chose } = await foundIn({
      "package.json": manifest({ scripts: { start: "node .", build: "tsc", migrate: "x", "db:seed": "y" } }),
      "index.js": "process.env.DATABASE_URL",
    });
    assert.deepEqual(application.database, {
      migrate: { command: "npm run migrate", directory: "." },
      seed: { command: "npm run db:seed", directory: "." },
    });
    assert.equal(application.services[0]?.environment.DATABASE_URL, "${database.url}");
    assert.deepEqual(application.build, [{ command: "npm run build", directory: "." }]);
    assert.match(chose.join("\n"), /reads DATABASE_URL/);
  });

  it("does not take a README's word for a database", async () => {
    const { application } = await foundIn({
      "package.json": manifest({ scripts: { start: "node ." } }),
      "README.md": "set DATABASE_URL",
    });
    assert.equal(application.database, undefined);
  });

  it("runs every process of a Procfile, and release before traffic", async () => {
    const { application } = await foundIn({
      Procfile: "# comment\nweb: bin/web --port $PORT\nmail_worker: bin/mail\nrelease: bin/migrate\n",
      "app.py": "os.environ['DATABASE_URL']",
    });
    assert.deepEqual(
      application.services.map(({ name, kind, command }) => [name, kind, command]),
      [
        ["web", "web", "bin/web --port $PORT"],
        ["mail-worker", "worker", "bin/mail"],
      ],
    );
    assert.deepEqual(application.database, { migrate: { command: "bin/migrate", directory: "." } });
  });

  it("runs a Node application's Procfile, with its packages and scripts around", async () => {
    const files = {
      "package.json": manifest({
        scripts: { start: "next start", migrate: "x", seed: "y" },
        dependencies: { next: "1" },
      }),
      "package-lock.json": "{}",
      "index.js": "process.env.DATABASE_URL",
    };
    const bin = 'export PATH="$PWD/node_modules/.bin:$PATH"; ';
    const npm = { install: [{ command: "npm ci --no-audit --no-fund", directory: "." }], build: [] };
    const { application } = await foundIn({
      ...files,
      Procfile: "web: next start -p $PORT\nworker: node work.js\nrelease: prisma migrate deploy\n",
    });
    const { install, build, database } = application;
    assert.deepEqual({ install, build }, npm);
    assert.deepEqual(database, {
      migrate: { command: `${bin}prisma migrate deploy`, directory: "." },
      seed: { command: "npm run seed", directory: "." },
    });
    const { application: half } = await foundIn({ ...files, Procfile: "worker: node work.js\n" });
    assert.deepEqual(
      [application, half].map(({ services }) => services.map(({ name, kind, command }) => [name, kind, command])),
      [
        [
          ["web", "web", `${bin}next start -p $PORT`],
          ["worker", "worker", `${bin}node work.js`],
        ],
        [
          ["web", "web", `${bin}npm start`],
          ["worker", "worker", `${bin}node work.js`],
        ],
      ],
    );
    assert.equal(half.database?.migrate?.command, "npm run migrate");
  });

  it("says what to write when it cannot tell", async () => {
    const cases = [
      [{ "main.c": "" }, /no package\.json with a start script, no Procfile, and no index\.html/],
      [{ "package.json": manifest({ scripts: { build: "vite build" } }), "index.html": "" }, /no "start" script/],
      [{ "package.json": "{" }, /not valid JSON/],
      [{ Procfile: "worker: x\n" }, /no "web" process/],
      [{ Procfile: "what is this\n" }, /line 1 of its Procfile/],
    ] as const;
    for (const [files, because] of cases) {
      const detection = await detectIn(files);
      assert.equal(detection.kind, "missing");
      assert.match(detection.kind === "missing" ? detection.write : "", because);
      assert.match(detection.kind === "missing" ? detection.write : "", /preview\.yaml[\s\S]*services:/);
    }
  });

  it("names what is not committed", async () => {
    const repository = await createRepository({ files: { "a b.txt": "1", "c.txt": "1" } });
    try {
      await writeFile(join(repository.path, "a b.txt"), "2");
      await writeFile(join(repository.path, "neu-ü.txt"), "");
      const gitDir = await findGitDir(repository.path);
      assert.deepEqual(await uncommittedFiles(gitDir, repository.path), ["a b.txt", "neu-ü.txt"]);
    } finally {
      await repository.remove();
    }
  });
});

describe("the server of static files", () => {
  let folder: string;
  let server: ChildProcess;
  let origin: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-static-"));
    await mkdir(join(folder, "public/docs"), { recursive: true });
    await writeFile(join(folder, "public/index.html"), "home");
    await writeFile(join(folder, "public/docs/index.html"), "docs");
    await writeFile(join(folder, "public/.env"), "SECRET=1");
    await writeFile(join(folder, "outside.txt"), "outside");
    await symlink(join(folder, "outside.txt"), join(folder, "public/link.txt"));
    const { application } = await foundIn({ "public/index.html": "home" });
    const [web] = application.services;
    const port = await freePort();
    server = spawn("sh", ["-c", web?.command ?? ""], {
      cwd: folder,
      env: { PATH: process.env.PATH, PORT: String(port), ...web?.environment },
      stdio: "ignore",
    });
    origin = `http://127.0.0.1:${port}`;
    await eventually(() => fetch(origin), { what: "the static server" });
  });

  after(async () => {
    const ended = once(server, "exit");
    server.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  });

  it("serves files and folders", async () => {
    assert.equal(await (await fetch(`${origin}/`)).text(), "home");
    const docs = await fetch(`${origin}/docs?x=1`);
    assert.equal(docs.url, `${origin}/docs/?x=1`);
    assert.equal(await docs.text(), "docs");
    assert.equal((await fetch(`${origin}/nothing`)).status, 404);
  });

  it("shows nothing hidden and nothing outside its folder", async () => {
    for (const path of ["/.env", "/link.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt", "/%00", "/%zz"]) {
      const { status } = await fetch(`${origin}${path}`);
      assert.ok(status === 404 || status === 400, `${path} gave ${status}`);
    }
  });

  it("answers 304 to what the browser has", async () => {
    const etag = (await fetch(`${origin}/`)).headers.get("etag") ?? "";
    assert.equal((await fetch(`${origin}/`, { headers: { "if-none-match": etag } })).status, 304);
  });
});
