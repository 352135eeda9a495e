/** `stackling pulumi KEY -- …` on verbs that run the program: the language host, `infra/index.ts` and the provider as executables. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { withClient } from "../../components/local/database-client.ts";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { requires } from "../support/requires.ts";
import { type CommandLine, prepareCommandLine, serveApp } from "./support/command-line.ts";
import { tinyApp } from "./support/tiny-app.ts";
import { visitorOf } from "./support/visitor.ts";

describe("the program by the CLI", requires("engine", "postgres"), () => {
  let cli: CommandLine;
  let repository: TestRepository;
  let port: number;

  before(async () => {
    cli = await prepareCommandLine();
    repository = await createRepository({ files: tinyApp({ text: "main" }) });
    await repository.commit("open", { "text.txt": "one" }, "Say one");
    port = await serveApp(cli, repository.path);
  });
  after(async () => {
    await cli.remove();
    await repository.remove();
  });

  it("previews no change of a live preview", async () => {
    const run = await cli.run("pulumi", "app#1", "--", "preview", "--expect-no-changes");
    assert.equal(run.code, 0, run.stdout + run.stderr);
    assert.match(run.stdout, /\d+ unchanged/);
  });

  it("makes again with up what an edit took away, and asks for the service nothing more", async () => {
    const server = (await readFile(join(cli.dataDir, "postgres/previews.url"), "utf8")).trim();
    await withClient(server, (client) => client.query('drop database "app_pr_1" with (force)'));
    const up = await cli.run("pulumi", "app#1", "--", "up", "--yes", "--refresh", "--skip-preview");
    assert.equal(up.code, 0, up.stdout + up.stderr);
    assert.match(up.stdout, /stackling:local:Database\b.*created/);
    assert.equal((await cli.run("wait", "app#1")).code, 0);
    assert.match((await visitorOf(`http://pr-1-app.localhost:${port}`).get("/")).text, /^one .* app_pr_1/);
    assert.match((await cli.run("drift", "app#1")).stdout, /all is as it should be/);
  });
});
