/** What CI jobs run to wait for a preview: the script of the action for real, and both YAML files as their hosts read them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { parse, parseAllDocuments } from "yaml";

const root = fileURLToPath(new URL("../..", import.meta.url));
const SHA = "a".repeat(40);
const NEWER = "b".repeat(40);
const LIVE = {
  ...{ key: "shop#42", url: "https://pr-42-shop.acme.dev", urls: { web: "https://pr-42-shop.acme.dev" } },
  ...{ condition: "Ready", reason: "Healthy", message: "Serving.", stage: "Active", commit: SHA, headSha: SHA },
};

describe("the script that CI jobs wait with", () => {
  let server: Server;
  let folder: string;
  /** One after the other; the last one stays. */
  let answers: { readonly status?: number; readonly body?: unknown }[];
  let asked: string[];

  before(async () => {
    server = createServer((request, response) => {
      asked.push(`${request.headers.authorization} ${request.url}`);
      const { status = 200, body = {} } = (answers.length > 1 ? answers.shift() : answers[0]) ?? {};
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  after(() => server.close());
  beforeEach(async () => {
    asked = [];
    folder = await mkdtemp(join(tmpdir(), "stackling-wait-"));
    await writeFile(join(folder, "output"), "");
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function run(environment: Record<string, string>, event?: object) {
    if (event) await writeFile(join(folder, "event.json"), JSON.stringify(event));
    const { exitCode, stdout } = await execa("node", [join(root, "actions/wait/wait.mjs")], {
      reject: false,
      extendEnv: false,
      env: {
        PATH: process.env.PATH,
        STACKLING_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
        STACKLING_TOKEN: "t0ken",
        STACKLING_ASK_EVERY_MS: "5",
        GITHUB_OUTPUT: join(folder, "output"),
        ...(event ? { GITHUB_EVENT_PATH: join(folder, "event.json") } : {}),
        ...environment,
      },
    });
    return { exitCode, stdout, output: await readFile(join(folder, "output"), "utf8") };
  }
  const pullRequest = { pull_request: { number: 42, head: { sha: SHA } } };
  const github = { GITHUB_ACTIONS: "true", GITHUB_REPOSITORY: "acme/Shop", GITHUB_SHA: "c".repeat(40) };

  it("waits for the head of a pull request that is not there yet, and tells where it serves", async () => {
    const building = { ...LIVE, condition: "Reconciling", reason: "Updating", message: "Building.", commit: NEWER };
    const older = { ...LIVE, headSha: NEWER, commit: NEWER };
    answers = [{ status: 404 }, { status: 503 }, { body: older }, { body: building }, { body: LIVE }];
    const { exitCode, output, stdout } = await run(github, pullRequest);
    assert.equal(exitCode, 0, stdout);
    assert.equal(output, `url=${LIVE.url}\nurls={"web":"${LIVE.url}"}\ncommit=${SHA}\nkey=shop#42\n`);
    assert.deepEqual(new Set(asked), new Set(["Bearer t0ken /api/v1/previews/shop%2342"]));
    assert.match(stdout, /There is no preview "shop#42" yet/);
  });

  it("takes key and commit from the event that Stackling sends when one is ready", async () => {
    answers = [{ body: LIVE }];
    const { exitCode } = await run(github, { client_payload: { key: "other#7", commit: SHA } });
    assert.deepEqual([exitCode, asked], [0, ["Bearer t0ken /api/v1/previews/other%237"]]);
  });

  const failures: readonly (readonly [string, object[], RegExp])[] = [
    [
      "it failed",
      [
        {
          ...LIVE,
          condition: "Stalled",
          reason: "SmokeTestFailed",
          message: "No.",
          excerpt: ["::set-output name=x::y\nboom"],
        },
      ],
      /::error title=Stackling::Stalled \(SmokeTestFailed\): No\./,
    ],
    ["it is gone", [{ ...LIVE, stage: "Gone", message: "Closed." }], /It is gone: Closed\./],
    [
      "a newer commit was pushed",
      [
        { ...LIVE, condition: "Reconciling" },
        { ...LIVE, headSha: NEWER },
      ],
      /A newer commit was pushed, bbbbbbbbbbbb/,
    ],
    [
      "somebody rolled it back",
      [{ ...LIVE, commit: NEWER, rolledBack: { sha: NEWER } }],
      /It was rolled back to bbbbbbbbbbbb/,
    ],
    ["everything is stopped", [{ ...LIVE, reason: "Paused" }], /\(Paused\)/],
  ];
  for (const [what, bodies, words] of failures) {
    it(`ends the job when ${what}`, async () => {
      answers = bodies.map((body) => ({ body }));
      const { exitCode, stdout, output } = await run(github, pullRequest);
      assert.deepEqual([exitCode, output], [1, ""]);
      assert.match(stdout, words);
      // Until it is told the word again, GitHub takes nothing of what previews say for a command.
      const [, word = ""] = /^::stop-commands::(\S+)$/m.exec(stdout) ?? [];
      const commands = stdout.split("\n").filter((line) => line.startsWith("::"));
      assert.deepEqual(commands.slice(0, 2), [`::stop-commands::${word}`, `::${word}::`]);
      assert.match(commands[2] ?? "", /^::error title=Stackling::/);
      assert.equal(commands.length, 3);
    });
  }

  it("ends at once with a token that is refused, and at its time where nothing comes", async () => {
    answers = [{ status: 401 }];
    assert.match((await run(github, pullRequest)).stdout, /refuses the token in STACKLING_TOKEN \(401\)/);
    answers = [{ status: 404 }];
    const late = await run({ ...github, STACKLING_TIMEOUT: "0.05" }, pullRequest);
    assert.match(late.stdout, /shop#42 was not ready within 0\.05 s: There is no preview/);
    assert.equal(late.exitCode, 1);
  });

  it("says what is missing", async () => {
    answers = [{ status: 404 }];
    assert.match((await run({ STACKLING_TOKEN: "" })).stdout, /STACKLING_TOKEN is empty/);
    assert.match((await run({})).stdout, /which preview is not known here/);
    assert.match((await run({ STACKLING_KEY: "a#1", STACKLING_SHA: "main" })).stdout, /"main" is no commit/);
    assert.deepEqual(asked, []);
  });

  it("works for a merge request of GitLab, and hands on a dotenv file", async () => {
    answers = [{ body: LIVE }];
    const dotenv = join(folder, "stackling.env");
    const gitlab = {
      ...{ CI_PROJECT_NAME: "shop", CI_MERGE_REQUEST_IID: "42", CI_MERGE_REQUEST_SOURCE_BRANCH_SHA: SHA },
      ...{ CI_COMMIT_SHA: NEWER, GITHUB_OUTPUT: "", STACKLING_DOTENV: dotenv },
    };
    assert.equal((await run(gitlab)).exitCode, 0);
    assert.match(
      await readFile(dotenv, "utf8"),
      /^STACKLING_PREVIEW_URL=https:\/\/pr-42-shop\.acme\.dev\nSTACKLING_PREVIEW_URLS=/,
    );
  });
});

describe("the action and the template", () => {
  it("give GitHub a composite action whose outputs the script writes and whose inputs it reads", async () => {
    const script = await readFile(join(root, "actions/wait/wait.mjs"), "utf8");
    const action = parse(await readFile(join(root, "actions/wait/action.yml"), "utf8"));
    const [step, ...others] = action.runs.steps;
    assert.deepEqual([action.runs.using, step.shell, others.length], ["composite", "bash", 0]);
    assert.ok(typeof action.name === "string" && typeof action.description === "string");
    for (const [name, { description }] of Object.entries<{ description: string }>({
      ...action.inputs,
      ...action.outputs,
    })) {
      assert.ok(description.length > 0, name);
    }
    for (const [name, { value }] of Object.entries<{ value: string }>(action.outputs)) {
      assert.equal(value, `\${{ steps.${step.id}.outputs.${name} }}`);
    }
    const used = Object.values<string>(step.env).map((value) => /^\$\{\{ inputs\.(\w+) \}\}$/.exec(value)?.[1]);
    assert.deepEqual(used.toSorted(), Object.keys(action.inputs).toSorted());
    for (const name of Object.keys(step.env)) assert.ok(script.includes(name), name);
    // What a pull request is called must not be read as a command.
    assert.doesNotMatch(step.run, /\$\{\{/);
  });

  it("give GitLab a component with the same script", async () => {
    const script = await readFile(join(root, "actions/wait/wait.mjs"), "utf8");
    const [header, body] = parseAllDocuments(await readFile(join(root, "templates/stackling-wait.yml"), "utf8"));
    assert.ok(header && body);
    assert.deepEqual([header.errors, body.errors], [[], []]);
    const { spec } = header.toJS() as { spec: { inputs: Record<string, unknown> } };
    const [[name, job] = ["", undefined]] = Object.entries(body.toJS() as Record<string, Job>);
    assert.equal(name, "$[[ inputs.job ]]");
    assert.equal(job?.script[0], `cat > stackling-wait.mjs <<'STACKLING'\n${script}STACKLING\n`);
    assert.equal(job?.artifacts.reports.dotenv, job?.variables.STACKLING_DOTENV);
    const used = [...JSON.stringify(body.toJS()).matchAll(/\$\[\[ inputs\.(\w+) \]\]/g)].map((match) => match[1]);
    assert.deepEqual([...new Set(used)].toSorted(), Object.keys(spec.inputs).toSorted());
  });
});

interface Job {
  readonly script: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  readonly artifacts: { readonly reports: { readonly dotenv: string } };
}
