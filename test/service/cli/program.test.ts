import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { actionRequest } from "../../../service/api/actions.ts";
import { runCli } from "../../../service/cli/program.ts";
import { verbGroups, verbs } from "../../../service/cli/verbs.ts";
import type { LinkSeen } from "../../../service/linked/links.ts";
import { aPreview } from "../../support/previews.ts";
import { startApp, TOKEN } from "../app/app-edge.ts";

describe("the command line", () => {
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "stackling-cli-"));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const run = async (args: readonly string[], environment: NodeJS.ProcessEnv = {}, columns?: number) => {
    const written = { stdout: "", stderr: "" };
    const screen = (name: keyof typeof written) => ({
      write: (text: string) => {
        written[name] += text;
      },
      ...(columns === undefined ? {} : { columns }),
    });
    const code = await runCli(args, {
      environment,
      directory,
      stdout: screen("stdout"),
      stderr: screen("stderr"),
      version: "1.2.3",
    });
    return { code, ...written };
  };

  it("helps with every verb, exit code 0", async () => {
    for (const { parent, usage } of verbs) {
      const words = [...(parent ? [parent[0]] : []), usage.split(" ")[0] ?? ""];
      const { code, stdout } = await run([...words, "--help"]);
      assert.equal(code, 0, words.join(" "));
      assert.match(stdout, /--json/);
      if (/[<[]key[>\]]/.test(usage)) assert.match(stdout, /^ {2}key +shop#42, shop@branch/m, words.join(" "));
    }
  });

  it("lists verbs by what people do with them, and says what a key is and what exit codes mean", async () => {
    const { code, stdout } = await run(["--help"]);
    assert.equal(code, 0);
    const sections = stdout.split(/\n\n(?=\S)/).map((section) => section.split("\n"));
    const listed = (title: string) => {
      const lines = sections.find(([first]) => first === `${title}:`) ?? [];
      return lines.flatMap((line) => /^ {2}([a-z-]+) /.exec(line)?.[1] ?? []);
    };
    for (const { title, verbs } of verbGroups) {
      const words = verbs.map(({ parent, usage }) => parent?.[0] ?? usage.split(" ")[0] ?? "");
      assert.deepEqual(new Set(listed(title).filter((word) => word !== "help")), new Set(words), title);
    }
    assert.deepEqual(listed("Commands"), []);
    assert.match(stdout, /key is shop#42, .*\n[\s\S]*Exit codes: 0 done, 1 failed, 2 wrong use/);
    assert.equal((await run([])).stderr, stdout);
  });

  it("takes the data folder from the environment where the command line names none", async () => {
    assert.match((await run(["ls"], { STACKLING_DATA: "here" })).stderr, new RegExp(`"${join(directory, "here")}"`));
    assert.match((await run(["ls", "--data", "there"], { STACKLING_DATA: "here" })).stderr, /there"/);
  });

  it("says of an approval that its commit may run where nothing beside it may wait yet", async () => {
    const edge = await startApp();
    try {
      const url = { STACKLING_URL: `http://127.0.0.1:${edge.port}`, STACKLING_TOKEN: TOKEN };
      const sha = "89abcdef0123456789abcdef0123456789abcdef";
      const told = async (links: readonly LinkSeen[]) => {
        edge.store.put(aPreview({ status: { reason: "ApprovalNeeded", headSha: sha, links } }));
        return (await run(["approve", "shop#42", sha], url)).stdout;
      };
      assert.equal(await told([]), "shop#42: commit 89abcde may run, without the operator's secrets\n");
      assert.match(
        await told([{ said: "acme/api#7", key: "api#7", headSha: sha }]),
        /89abcde is approved; it runs once nothing is missing, without/,
      );
    } finally {
      await edge.close();
    }
  });

  it("answers wrong use with exit code 2 and the nearest word", async () => {
    assert.deepEqual((await run([])).code, 2);
    const verb = await run(["redeplo", "shop#1"]);
    assert.equal(verb.code, 2);
    assert.match(verb.stderr, /Did you mean redeploy/);
    assert.equal((await run(["show"])).code, 2);
    assert.equal((await run(["extend", "shop#1", "soon"])).code, 2);
    assert.match((await run(["approve", "shop#1", "0123456"])).stderr, /"0123456" is not the whole id of a commit/);
    const timeout = await run(["wait", "shop#1", "--timeout", "soon"], {
      STACKLING_URL: "http://127.0.0.1:1",
      STACKLING_TOKEN: "t",
    });
    assert.equal(timeout.code, 2);
    assert.equal((await run(["serve", "--port", "70000", "--data", "d"])).code, 2);
    const port = await run(["serve", "--data", "d"], { STACKLING_PORT: "70000" });
    assert.match(port.stderr, /reading STACKLING_PORT: "70000" is no port/);
    assert.equal((await run(["ls", "--url", "ftp://x"])).code, 2);
  });

  it("names the next step when no service is running", async () => {
    const { code, stderr } = await run(["ls", "--data", "nowhere"]);
    assert.equal(code, 1);
    assert.match(stderr, /no service is running on ".*nowhere": start it with "stackling serve"/);
  });

  it("checks a config file: 0 right, 1 wrong with every problem, 2 missing", async () => {
    await writeFile(join(directory, "preview.yaml"), "services: {web: npm start}\n");
    assert.equal((await run(["config", "check", "preview.yaml"])).code, 0);
    await writeFile(join(directory, "preview.yaml"), "services: {web: {}}\nfoo: 1\n");
    const wrong = await run(["config", "check", "preview.yaml", "--json"]);
    assert.equal(wrong.code, 1);
    assert.equal(JSON.parse(wrong.stdout).problems[0].line, 2);
    assert.equal((await run(["config", "check", "none.yaml"])).code, 2);
  });

  it("names the variables and files a right config refers to and that are not here", async () => {
    const config = [
      "store: {env: STORE_URL}",
      "passphrase: {file: here.txt}",
      "token: {file: away.txt}",
      "repositories:",
      "  - path: /srv/shop",
      "    secrets: {STRIPE_KEY: {env: STRIPE_KEY}}",
    ];
    await writeFile(join(directory, "stackling.yaml"), config.join("\n"));
    await writeFile(join(directory, "here.txt"), "a passphrase");
    const { code, stdout } = await run(["config", "check", "stackling.yaml"], { STORE_URL: "postgres://x" });
    assert.equal(code, 0);
    assert.match(stdout, /^stackling.yaml is right\n/);
    assert.match(
      stdout,
      /^ {2}repositories\.shop\.secrets\.STRIPE_KEY: environment variable "STRIPE_KEY" is not set$/m,
    );
    assert.match(stdout, /^ {2}token: file ".*away.txt" cannot be read$/m);
    assert.doesNotMatch(stdout, /STORE_URL|here\.txt|previews\.url/);
    const { missing } = JSON.parse((await run(["config", "check", "stackling.yaml", "--json"])).stdout);
    assert.deepEqual(missing.map(({ path }: { path: string }) => path).sort(), [
      "repositories.shop.secrets.STRIPE_KEY",
      "store",
      "token",
    ]);
  });

  it("prints schemas as JSON", async () => {
    const { code, stdout } = await run(["config", "schema"]);
    assert.equal(code, 0);
    assert.match(JSON.parse(stdout).title, /preview\.yaml/);
    assert.equal((await run(["config", "schema", "nope"])).code, 2);
  });

  it("does not touch a folder that is no git repository", async () => {
    const { code, stderr } = await run(["up", ".", "--data", "d"]);
    assert.equal(code, 1);
    assert.match(stderr, /opening repository/);
  });

  describe("with a service that answers", () => {
    let server: Server;
    let pause: { readonly at: string; readonly by: string } | null = null;
    let paused = false;
    let failed: object = {};
    let refusal: string | undefined;
    let environment: NodeJS.ProcessEnv;
    /** What verbs asked for, as it came. */
    const wishes: unknown[] = [];
    const takeWish = (text: string) => void wishes.push(JSON.parse(text));
    const preview = {
      key: "shop#42",
      gitBranch: "feature/with-quite-a-long-name",
      condition: "Ready",
      reason: "Healthy",
      message: "Serving.",
      url: "http://pr-42-shop.localhost:4000",
      title: "A title that is much longer than any window of forty characters could show",
      createdAt: new Date().toISOString(),
      stage: "Active",
    };

    before(async () => {
      server = createServer((request, response) => {
        const wrong =
          request.headers.authorization !== "Bearer t" || !request.headers.host?.startsWith("stackling.localhost:");
        const path = request.url?.split("?")[0] ?? "";
        const one = "/api/v1/previews/shop%2342";
        const found = ["/api/v1/previews", one, `${one}/actions`, "/api/v1/pause"].includes(path);
        if (path.endsWith("/actions")) request.setEncoding("utf8").on("data", takeWish);
        response.statusCode = wrong ? 401 : found ? 200 : 404;
        const problem = { reason: "NotFound", detail: refusal ?? "finding a preview: there is none" };
        const stopped = paused ? { reason: "Paused", message: "All previews are stopped." } : {};
        const answer = path.startsWith(one)
          ? { ...preview, ...stopped, since: `${wishes.length}`, ...failed }
          : { previews: [preview], pause };
        response.end(JSON.stringify(response.statusCode === 200 ? answer : problem));
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      environment = { STACKLING_URL: `http://stackling.localhost:${port}`, STACKLING_TOKEN: "t" };
    });
    after(() => server.close());

    it("lists previews in a table that fits the window, and whole as JSON", async () => {
      const { code, stdout } = await run(["ls"], environment, 60);
      assert.equal(code, 0);
      for (const line of stdout.trimEnd().split("\n"))
        assert.ok([...line].length <= 60 || line.includes(preview.url), line);
      assert.match(stdout, /shop#42/);
      assert.deepEqual(JSON.parse((await run(["ls", "--json"], environment)).stdout), { ...preview, pause });
    });

    it("says in both, and in show, that everything is stopped", async () => {
      pause = { at: "2026-11-21T10:00:00.000Z", by: "ada" };
      assert.match(
        (await run(["ls"], environment)).stdout,
        /^everything is stopped since 2026-11-21 10:00 UTC, by ada;/,
      );
      for (const verb of [["ls"], ["show", "shop#42"]]) {
        const { since, ...said } = JSON.parse((await run([...verb, "--json"], environment)).stdout);
        assert.deepEqual(said, { ...preview, pause });
      }
      pause = null;
    });

    it("asks for what the API takes, and waits for it to be taken up", async () => {
      for (const verb of ["redeploy", "reset-db", "rotate", "seed"]) {
        const { code, stdout } = await run([verb, "shop#42"], environment);
        assert.deepEqual([code, stdout], [0, `shop#42 is live: ${preview.url}\n`]);
      }
      await run(["seed", "shop#42", "team"], environment);
      const back = await run(["rollback", "shop#42", "0123ABC", "--keep-database"], environment);
      assert.match(back.stdout, /^shop#42: It follows the head\.\nshop#42 is live: /);
      assert.equal((await run(["rollback", "shop#42", "main"], environment)).code, 2);
      const asked = wishes.splice(0).map((wish) => actionRequest.parse(wish));
      const plain = ["redeploy", "reset-db", "rotate", "seed"].map((action) => ({ action }));
      const rollback = { action: "rollback", sha: "0123abc", keepDatabase: true };
      assert.deepEqual(asked, [...plain, { action: "seed", scenario: "team" }, rollback]);
    });

    it("does not wait for what is stopped", async () => {
      paused = true;
      for (const verb of ["wake", "wait", "redeploy"]) {
        const { code, stdout } = await run([verb, "shop#42", "--timeout", "5"], environment);
        assert.deepEqual([code, stdout], [1, "shop#42 is Ready/Paused: All previews are stopped.\n"]);
      }
      paused = false;
    });

    it("does not wait for a rollback that is wished for already, and cannot be served", async () => {
      const rolledBack = { sha: "0123abc", head: "fedcba9", by: "api", at: preview.createdAt };
      const stalled = { condition: "Stalled", reason: "BuildFailed", message: "It broke.", excerpt: [] };
      failed = { ...stalled, rolledBack, since: "before" };
      const { code, stdout } = await run(["rollback", "shop#42", "0123abc", "--timeout", "3"], environment);
      assert.equal(code, 1);
      assert.match(stdout, /^shop#42: Rolled back to 0123abc .*\nshop#42 is Stalled\/BuildFailed: It broke\.\n$/);
      failed = {};
    });

    it("prints nothing of a stranger's that a terminal would obey", async () => {
      const owned = "\u001b]0;owned\u0007\u001b[2Jbroke";
      failed = { condition: "Stalled", reason: "BuildFailed", message: `It ${owned}.`, excerpt: [`line: ${owned}`] };
      for (const verb of [["wait"], ["show"], ["ls"], ["sleep"], ["redeploy", "--timeout", "5"]]) {
        const [name = "", ...options] = verb;
        const said = await run([name, ...(name === "ls" ? [] : ["shop#42"]), ...options], environment);
        const text = said.stdout + said.stderr;
        assert.ok(!text.includes("\u001b") && !text.includes("\u0007"), `${name}: ${JSON.stringify(text)}`);
      }
      failed = {};
      refusal = `building: ${owned}`;
      const { stderr } = await run(["show", "shop#7"], environment);
      assert.equal(stderr, "building: broke\n");
      refusal = undefined;
    });

    it("passes on what the service refuses, in its words", async () => {
      const missing = await run(["show", "shop#7"], environment);
      assert.equal(missing.code, 1);
      assert.equal(missing.stderr, "finding a preview: there is none\n");
      const stranger = await run(["ls"], { ...environment, STACKLING_TOKEN: "wrong" });
      assert.match(stranger.stderr, /STACKLING_TOKEN/);
    });
  });
});
