import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import express from "express";
import type { Doing } from "../../../service/api/doing.ts";
import { baselineRoutes } from "../../../service/api/routes/baselines.ts";
import { createStreams } from "../../../service/api/streams.ts";
import { startBaselines } from "../../../service/baselines/keeper.ts";
import { runCli } from "../../../service/cli/program.ts";
import type { BaselineConfig, ColumnRules } from "../../../service/config/baselines.ts";
import { eventually } from "../../support/eventually.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { requires } from "../../support/requires.ts";

const DUMP =
  "CREATE TABLE users (id int PRIMARY KEY, email text, note text);\nCOPY users FROM stdin;\n1\tada@acme.dev\tfine\n\\.\n";
const quiet = { info: () => undefined, warn: () => undefined };

const ADMIN = { name: "api", role: "admin" } as const;

describe("the verbs of baselines", requires("postgres"), () => {
  let postgres: Awaited<ReturnType<typeof startTestPostgres>>;
  let folder: string;
  let server: Server | undefined;
  let keeper: ReturnType<typeof startBaselines> | undefined;

  before(async () => {
    postgres = await startTestPostgres();
    folder = await mkdtemp(join(tmpdir(), "stackling-baseline-"));
    await writeFile(join(folder, "dump.sql"), DUMP);
    await writeFile(join(folder, "server.url"), postgres.url);
    await writeFile(join(folder, "names.txt"), "Ada Lovelace\r\nfine\n");
  });
  after(async () => {
    await end();
    await postgres.stop();
    await rm(folder, { recursive: true });
  });

  async function end(): Promise<void> {
    server?.closeAllConnections();
    server?.close();
    await keeper?.close();
  }

  async function serve(columns: ColumnRules, more: Partial<BaselineConfig> = {}): Promise<void> {
    await end();
    const main: BaselineConfig = {
      name: "main",
      source: { kind: "dump", file: join(folder, "dump.sql") },
      columns,
      keepOld: 0,
      server: { file: join(folder, "server.url") },
      ...more,
    };
    const config = { baselines: [main], targets: [] };
    const now = () => new Date().toISOString();
    keeper = startBaselines({ config, dataDir: folder, now, logger: quiet, lookEveryMs: 20 });
    const api = express.Router().use(express.json());
    const streams = createStreams({ store: { onChange: () => () => undefined } });
    const doing: Doing["note"] = (_request, _what, work) => work("api");
    for (const route of baselineRoutes({ baselines: keeper, streams, doing: { note: doing } })) {
      api[route.method](route.path, async (request, response) => {
        const param = (name: string) => String(request.params[name]);
        const call = { request, response, caller: ADMIN, query: undefined, body: undefined, param };
        const body = await route.handle({ ...call, preview: () => assert.fail() });
        if (body !== undefined) response.json(body);
      });
    }
    server = createServer(express().use("/api/v1", api)).listen(0, "127.0.0.1");
    await once(server, "listening");
  }

  async function run(...args: readonly string[]) {
    const address = server?.address();
    assert.ok(typeof address === "object" && address);
    const written = { stdout: "", stderr: "" };
    const screen = (name: keyof typeof written) => ({
      write: (text: string) => {
        written[name] += text;
      },
    });
    const code = await runCli(["baseline", ...args], {
      environment: { STACKLING_URL: `http://127.0.0.1:${address.port}`, STACKLING_TOKEN: "t" },
      directory: folder,
      stdout: screen("stdout"),
      stderr: screen("stderr"),
      version: "1.2.3",
    });
    return { code, ...written };
  }

  it("stop at a column without a rule, name it and give lines to copy; with it they build, list and find nothing", async () => {
    await serve({ users: { note: "keep" } });
    assert.match((await run("ls")).stdout, /main +not yet +dump/);
    const stopped = await run("build", "main");
    assert.equal(stopped.code, 1);
    assert.match(stopped.stderr, /1 column is not classified[\s\S]*users\.email \(text\)[\s\S]*email: \{fake: email\}/);
    const lines = (await run("build", "main", "--json")).stdout.trim().split("\n");
    assert.deepEqual(JSON.parse(lines.at(-1) ?? ""), {
      unclassified: [{ table: "users", column: "email", type: "text" }],
    });
    assert.match((await run("check", "main")).stderr, /was not built yet/);
    assert.match((await run("ls")).stdout, /main +not yet, the last build failed +dump/);
    const [finding] = (await keeper?.findings()) ?? [];
    assert.deepEqual([finding?.ok, finding?.remedy], [false, "stackling baseline build main"]);
    assert.match(
      finding?.what ?? "",
      /^baseline "main" was not built yet, and the last build failed: .* 1 column is not/,
    );

    await serve({ users: { email: { fake: "email" }, note: "keep" } });
    const built = await run("build", "main");
    assert.deepEqual([built.code, /built baseline main: [\d.]+ MiB/.test(built.stdout)], [0, true]);
    assert.match(built.stderr, /loading users\n[\s\S]*masking users\n/);
    const checked = await run("check", "main");
    assert.deepEqual([checked.code, checked.stdout], [0, "nothing found in 2 columns of 1 rows\n"]);
    assert.deepEqual(
      (await keeper?.findings())?.map(({ ok }) => ok),
      [true],
    );
    const listed = JSON.parse((await run("ls", "--json")).stdout);
    assert.deepEqual(
      [listed.baselines.length, listed.baselines[0].name, listed.baselines[0].building],
      [1, "main", false],
    );
  });

  it("end with 1 when something is found, with too little shown to know it", async () => {
    await serve({ users: { email: "keep", note: "keep" } });
    await run("build", "main");
    const found = await run("check", "main", "--names", "names.txt");
    assert.equal(found.code, 1);
    assert.match(found.stdout, /users +email +email +1 +a\*\*\*@a\*\*\*\.dev\nusers +note +name +1 +f\*\*\*/);
    const report = JSON.parse((await run("check", "main", "--json")).stdout);
    assert.deepEqual(report.findings, [
      { table: "users", column: "email", kind: "email", rows: 1, sample: "a***@a***.dev" },
    ]);
  });

  it("say which baselines there are when asked for another", async () => {
    await serve({});
    const { code, stderr } = await run("build", "mian");
    assert.deepEqual([code, stderr], [1, 'finding baseline "mian": there is none; did you mean "main"?\n']);
    assert.equal((await run("check", "main", "--names", "nowhere.txt")).code, 2);
  });

  it("follow a build that runs in place of a second one", async () => {
    const seed = {
      kind: "seed",
      command: `test -e ran && exit 1; touch ran; until test -e go; do sleep 0.02; done`,
      directory: folder,
    } as const;
    await serve({}, { name: "followed", source: seed });
    const both = [run("build", "followed"), run("build", "followed")];
    await eventually(async () => /followed +not yet, being built/.test((await run("ls")).stdout));
    await writeFile(join(folder, "go"), "");
    assert.deepEqual(
      (await Promise.all(both)).map(({ code }) => code),
      [0, 0],
    );
  });

  it("come by themselves on schedule, again and again", async () => {
    await serve({ users: { email: "null", note: "keep" } }, { name: "often", everySeconds: 1 });
    const builtAt = async () => {
      const { baselines } = JSON.parse((await run("ls", "--json")).stdout);
      return baselines.find((one: { name: string }) => one.name === "often")?.builtAt as string | null;
    };
    const first = await eventually(builtAt);
    await eventually(async () => (await builtAt()) !== first);
  });
});
