/**
 * `stackling pulumi KEY -- …` on verbs that run the program: the language host, `infra/index.ts` and the
 * provider as executables; with the state in a Postgres of the operator's and a granted secret.
 */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { withClient } from "../../components/local/database-client.ts";
import { freePort } from "../support/free-port.ts";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { testDatabase } from "../support/postgres.ts";
import { requires } from "../support/requires.ts";
import { type CommandLine, prepareCommandLine } from "./support/command-line.ts";
import { tinyApp } from "./support/tiny-app.ts";
import { visitorOf } from "./support/visitor.ts";

describe("the program by the CLI", requires("engine", "postgres"), () => {
  let cli: CommandLine;
  let repository: TestRepository;
  let state: { readonly url: string; drop(): Promise<void> };
  let port: number;

  before(async () => {
    cli = await prepareCommandLine();
    state = await testDatabase();
    const files = tinyApp({ text: "main" });
    const application = `${files["preview.yaml"]}secrets:\n  WORD: granted\n`;
    repository = await createRepository({ files: { ...files, "preview.yaml": application } });
    await repository.commit("open", { "text.txt": "one" }, "Say one");
    port = await freePort();
    await writeFile(join(cli.temporary, "state-url"), `${state.url}?sslmode=disable`);
    await writeFile(join(cli.temporary, "word"), "a granted word");
    const config = join(cli.temporary, "stackling.yaml");
    const lines = [
      `port: ${port}`,
      "backend: { file: state-url }",
      "repositories:",
      `  - { path: ${repository.path}, name: app, secrets: { WORD: { file: word } } }`,
    ];
    await writeFile(config, `${lines.join("\n")}\n`);
    await cli.start("serve", "--config", config).says(/app#1\s+live/);
  });
  after(async () => {
    await cli.remove();
    await repository.remove();
    await state.drop();
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
