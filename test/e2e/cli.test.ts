/** The verbs as their user meets them: the real program in processes of its own, on a real engine and Postgres. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { withClient } from "../../components/local/database-client.ts";
import type { PreviewView } from "../../service/api/preview-view.ts";
import { eventually } from "../support/eventually.ts";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { requires } from "../support/requires.ts";
import { type CommandLine, prepareCommandLine, type Run, serveApp } from "./support/command-line.ts";
import { remainsOf } from "./support/oracle.ts";
import { tinyApp } from "./support/tiny-app.ts";
import { visitorOf } from "./support/visitor.ts";

const needs = requires("engine", "postgres");

const LISTENER = `
import { createServer } from "node:http";
createServer((request, response) => response.end("Hello from outside")).listen(process.env.PORT);
`;

const TALKING = `
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
const text = readFileSync("text.txt", "utf8");
createServer((request, response) => {
  if (request.url !== "/health") console.log("asked for " + request.url);
  const { FLAG_THEME, FLAGD_OFFLINE_FLAG_SOURCE_PATH: file } = process.env;
  if (request.url === "/send") {
    const body = JSON.stringify({ from: "shop@example.dev", to: "ada@example.dev", subject: "Your tea", text: "It comes." });
    const headers = { authorization: "Bearer re_any", "content-type": "application/json" };
    fetch(process.env.RESEND_BASE_URL + "/emails", { method: "POST", headers, body }).then(
      (sent) => response.end(String(sent.status)),
      (error) => response.end(String(error.cause ?? error)),
    );
  } else if (request.url === "/flags") response.end(FLAG_THEME + " " + readFileSync(file, "utf8"));
  else response.end(text + " " + process.pid);
}).listen(process.env.PORT, () => console.log("listening"));
`;

const FLAGS = `
flags:
  theme: {default: light, values: [light, dark]}
external:
  mail: {mode: emulated, emulator: resend, address: RESEND_BASE_URL}
  payments: {mode: off, production: live account, review: 2099-01-31}
`;

describe("the verbs of a running service", needs, () => {
  let cli: CommandLine;
  let repository: TestRepository;
  let port: number;
  const others: TestRepository[] = [];

  before(async () => {
    cli = await prepareCommandLine();
    const files = tinyApp({ text: "main", server: TALKING });
    files["preview.yaml"] += FLAGS;
    repository = await createRepository({ files });
    await repository.commit("open", { "text.txt": "one" }, "Say one");
    port = await serveApp(cli, repository.path);
  });
  after(async () => {
    await cli.remove();
    for (const other of others) await other.remove();
    await repository.remove();
  });

  const external = async (files: Readonly<Record<string, string>>) => {
    const made = await createRepository({ files });
    others.push(made);
    return made;
  };

  it("lists and shows previews, as a table and as JSON", async () => {
    const table = await cli.run("ls");
    assert.match(
      table.stdout,
      /KEY +STAGE +CONDITION +AGE +LINK +TITLE\napp#1 +Active +Ready\/Healthy +\w+ +http:\/\/pr-1-app\S+ +Say one/,
    );
    const [listed] = lines<PreviewView>(await cli.run("ls", "--json"));
    const shown = JSON.parse((await cli.run("show", "app#1", "--json")).stdout) as PreviewView;
    assert.equal(shown.commit, await repository.head("open"));
    assert.equal(listed?.stack, "app-pr-1");
    assert.match((await cli.run("show", "app-pr-1")).stdout, /condition +Ready\/Healthy/);
  });

  it("prints the link when asked to open it, desktop or not", async () => {
    const { code, stdout } = await cli.run("open", "app#1");
    assert.equal(code, 0);
    assert.equal(stdout, `http://pr-1-app.localhost:${port}\n`);
  });

  it("follows the log until Ctrl-C", async () => {
    const logs = cli.start("logs", "app#1", "--follow");
    await logs.says(/web +listening/);
    await visitorOf(`http://pr-1-app.localhost:${port}`).get("/a-new-line");
    await logs.says(/web +asked for \/a-new-line/);
    logs.signal("SIGINT");
    assert.equal((await logs.ended()).code, 0);
  });

  it("waits for what is ready, and releases the same commit again", async () => {
    const waited = JSON.parse((await cli.run("wait", "app#1", "--json")).stdout) as PreviewView;
    assert.equal(waited.reason, "Healthy");
    const processBefore = (await visitorOf(waited.url ?? "").get("/")).text;
    assert.equal((await cli.run("redeploy", "app#1")).code, 0);
    assert.notEqual((await visitorOf(waited.url ?? "").get("/")).text, processBefore);
  });

  it("sets a feature flag for one preview, and says which there are where it is none", async () => {
    const flags = async () => (await visitorOf(`http://pr-1-app.localhost:${port}`).get("/flags")).text;
    assert.match(await flags(), /^light [\s\S]*"defaultVariant": "light"/);
    const set = await cli.run("flag", "app#1", "theme=dark");
    assert.equal(set.code, 0, set.stderr);
    assert.match(await flags(), /^dark [\s\S]*"defaultVariant": "dark"/);
    assert.match((await cli.run("show", "app#1")).stdout, /flags +theme=dark \(person\)/);
    assert.match((await cli.run("flag", "app#1", "theme=dark")).stdout, /^app#1 has theme=dark already/);
    const refused = await cli.run("flag", "app#1", "theme=blue");
    assert.deepEqual([refused.code, /"theme" is one of "light", "dark"/.test(refused.stderr)], [1, true]);
    assert.equal((await cli.run("flag", "app#1", "theme")).code, 2);
  });

  it("lists the services of others", async () => {
    const { stdout } = await cli.run("services");
    assert.match(stdout, /app +payments +live account +off +not said +2099-01-31/);
    const { services } = JSON.parse((await cli.run("services", "--json")).stdout) as {
      services: { preview: string }[];
    };
    assert.deepEqual(
      services.map(({ preview }) => preview),
      ["emulated", "off"],
    );
  });

  it("keeps a mail in the preview's own inbox", async () => {
    assert.equal((await visitorOf(`http://pr-1-app.localhost:${port}`).get("/send")).text, "200");
    const { urls } = JSON.parse((await cli.run("show", "app#1", "--json")).stdout) as PreviewView;
    assert.match((await visitorOf(urls["emulated-mail"] ?? "").get("/inbox")).text, /Your tea/);
  });

  it("hands the stack to the real pulumi: its state, its refresh, and a destroy that is healed", async () => {
    const stack = await cli.run("pulumi", "app#1", "--", "stack");
    assert.equal(stack.code, 0, stack.stderr);
    assert.match(stack.stdout, /stackling:local:Service/);
    const refresh = await cli.run("pulumi", "app#1", "--", "refresh", "--yes", "--skip-preview");
    assert.equal(refresh.code, 0, refresh.stdout + refresh.stderr);
    const destroyed = await cli.run("pulumi", "app#1", "--", "destroy", "--yes", "--skip-preview");
    assert.equal(destroyed.code, 0, destroyed.stdout + destroyed.stderr);
    assert.match(destroyed.stdout, /Resources:\s+- \d+ deleted/);
    const served = async () => (await visitorOf(`http://pr-1-app.localhost:${port}`).get("/")).text;
    await eventually(async () => (await served()).startsWith("one"), { timeoutMs: 60_000, what: "it to serve again" });
    assert.equal((await cli.run("wait", "app#1")).code, 0);
  });

  it("tells in words what drifted and puts it right", async () => {
    assert.match((await cli.run("drift", "app#1")).stdout, /all is as it should be/);
    await dropDatabase(cli.dataDir, "app_pr_1");
    const found = await cli.run("drift", "app#1");
    assert.deepEqual([found.code, found.stdout], [1, 'app#1: database "app_pr_1" is missing\n']);
    const repaired = await cli.run("drift", "app#1", "--repair", "--json");
    assert.equal(repaired.code, 0, repaired.stderr);
    assert.equal(JSON.parse(repaired.stdout).repaired, true);
    assert.equal((await cli.run("drift", "app#1")).code, 0);
  });

  it("checks machine and service", async () => {
    const { code, stdout, stderr } = await cli.run("doctor", "--json");
    const findings = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { ok: boolean; what: string });
    assert.equal(code, 0, stdout + stderr);
    assert.ok(findings.some(({ what }) => what === `the service answers at http://localhost:${port}`));
  });

  for (const [what, files, chose] of [
    ["a Procfile", { Procfile: "web: node server.mjs\n", "server.mjs": LISTENER }, /Procfile/],
    ["a folder of static files", { "index.html": "<p>Hello from outside</p>" }, /folder of static files/],
    [
      "a start script",
      { "package.json": '{"name":"x","private":true,"scripts":{"start":"node server.mjs"}}', "server.mjs": LISTENER },
      /Node application/,
    ],
  ] as const) {
    it(`brings up a repository that never heard of Stackling by ${what}; down leaves nothing`, async () => {
      const outside = await external(files);
      await writeFile(join(outside.path, "uncommitted.txt"), "not in");
      const up = await cli.run("up", outside.path, "--json");
      assert.equal(up.code, 0, up.stdout + up.stderr);
      assert.match(up.stderr, chose);
      assert.match(up.stderr, /not committed: "uncommitted\.txt"/);
      const { key, url = "" } = JSON.parse(up.stdout) as PreviewView;
      assert.match((await visitorOf(url).get("/")).text, /Hello from outside/);
      const { stack } = JSON.parse((await cli.run("show", key, "--json")).stdout) as PreviewView;
      assert.equal((await cli.run("down", key)).code, 0);
      assert.deepEqual(await remainsOf({ dataDir: cli.dataDir, stack }), []);
    });
  }

  it("says exactly what to write when nothing can be recognised", async () => {
    const outside = await external({ "main.rs": "fn main() {}\n" });
    const { code, stderr } = await cli.runIn(outside.path, "up", ".");
    assert.equal(code, 1);
    assert.match(stderr, /preview\.yaml[\s\S]*services:/);
  });

  it("answers what does not exist with exit code 1 and its name, wrong use with 2 and a hint", async () => {
    const nobody = await cli.run("show", "app#99");
    assert.deepEqual([nobody.code, nobody.stderr], [1, 'finding a preview: there is none with the key "app#99"\n']);
    const noRef = await cli.run("up", repository.path, "--ref", "no such");
    assert.deepEqual([noRef.code, /"no such"/.test(noRef.stderr)], [2, true]);
    const verb = await cli.run("shwo", "app#1");
    assert.deepEqual([verb.code, /Did you mean show\?/.test(verb.stderr)], [2, true]);
    const option = await cli.run("ls", "--gonne");
    assert.deepEqual([option.code, /Did you mean --gone\?/.test(option.stderr)], [2, true]);
    const key = await cli.run("show", "../../etc");
    assert.notEqual(key.code, 0);
  });
});

describe("stackling config", () => {
  let cli: CommandLine;

  before(async () => {
    cli = await prepareCommandLine();
  });
  after(() => cli.remove());

  it("finds the files right that the README shows", async () => {
    const shown = yamlOf(await readFile(new URL("../../README.md", import.meta.url), "utf8"));
    assert.ok(shown.some((text) => /^forges: .*github/m.test(text)));
    for (const [index, text] of shown.entries()) {
      const folder = await mkdtemp(join(cli.temporary, `readme-${index}-`));
      const file = join(folder, /^services:/m.test(text) ? "preview.yaml" : "stackling.yaml");
      await writeFile(file, text);
      const { code, stderr } = await cli.run("config", "check", file);
      assert.equal(code, 0, stderr);
    }
  });

  it("lists every problem of a broken one with its line", async () => {
    const file = join(cli.temporary, "broken.yaml");
    await writeFile(
      file,
      "prot: 4000\nforges:\n  github: { token: abc }\nrepositories:\n  - path: acme/shop\n    nmae: shop\n",
    );
    const { code, stderr } = await cli.run("config", "check", file);
    assert.equal(code, 1);
    assert.match(stderr, /broken\.yaml:1: .*"prot"/);
    assert.match(stderr, /broken\.yaml:6: .*"nmae"/);
  });

  it("prints both schemas", async () => {
    for (const which of ["preview", "stackling"]) {
      const { code, stdout } = await cli.run("config", "schema", which);
      assert.equal(code, 0);
      assert.equal(JSON.parse(stdout).type, "object");
    }
  });
});

function lines<T>({ stdout }: Run): T[] {
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}

/** Code blocks of YAML that are a whole file, without the indentation they stand in. */
function yamlOf(markdown: string): readonly string[] {
  const blocks = [...markdown.matchAll(/^( *)```yaml\n([\s\S]*?)\n *```$/gm)];
  return blocks
    .map(([, indent = "", text = ""]) => `${text.replaceAll(new RegExp(`^${indent}`, "gm"), "")}\n`)
    .filter((text) => /^(services|repositories):/m.test(text));
}

async function dropDatabase(dataDir: string, name: string): Promise<void> {
  const url = (await readFile(join(dataDir, "postgres/previews.url"), "utf8")).trim();
  await withClient(url, (client) => client.query(`drop database "${name}" with (force)`));
}
