/** Tokens and the audit by the command line, against the app itself. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { after, before, describe, it } from "node:test";
import { runCli } from "../../../service/cli/program.ts";
import { aPreview } from "../../support/previews.ts";
import { type AppEdge, startApp, TOKEN } from "../app/app-edge.ts";

describe("tokens by the command line", () => {
  let edge: AppEdge;
  before(async () => {
    edge = await startApp();
    edge.store.put(aPreview());
  });
  after(() => edge.close());

  async function run(args: readonly string[], token = TOKEN) {
    const written = { stdout: "", stderr: "" };
    const screen = (name: keyof typeof written) => ({
      write: (text: string) => {
        written[name] += text;
      },
    });
    const code = await runCli([...args], {
      environment: { STACKLING_URL: `http://127.0.0.1:${edge.port}`, STACKLING_TOKEN: token },
      directory: tmpdir(),
      stdout: screen("stdout"),
      stderr: screen("stderr"),
      version: "1.2.3",
    });
    return { code, ...written };
  }

  it("are made, used, listed and revoked, and the audit says by whom", async () => {
    const args = ["token", "create", "--name", "ci", "--role", "operator", "--repository", "shop", "--expires", "90d"];
    const made = await run(args);
    const token = made.stdout.trim();
    assert.match(token, /^stk_[\w-]{43}[0-9a-f]{8}$/);
    assert.match(made.stderr, /shown this once, and holds until/);
    assert.equal((await run(["keep", "shop#42"], token)).code, 0);
    assert.ok(edge.acts.includes("keep shop#42 by token ci"));
    const refused = await run(["stop-all"], token);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /calling "setPause": the right of an admin is needed/);
    const [row] = JSON.parse((await run(["token", "ls", "--json"])).stdout).tokens;
    assert.deepEqual([row.name, row.role, row.repositories], ["ci", "operator", ["shop"]]);
    assert.equal((await run(["token", "revoke", "ci"])).stdout, "revoked ci\n");
    assert.match((await run(["ls"], token)).stderr, /does not take this token/);
    const entries = (await run(["audit", "--json"])).stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      entries.map(({ actor, action, outcome }) => `${actor} ${action} ${outcome}`),
      ["api token revoke done", "token ci setPause refused", "token ci keep done", "api token create done"],
    );
    assert.match(
      (await run(["audit", "--actor", "token ci"])).stdout,
      /token ci .*keep .*shop#42 .*done .*api 127\.0\.0\.1/,
    );
  });

  it("are not made where the wish is wrong, and the words say what is", async () => {
    const create = async (...args: readonly string[]) => run(["token", "create", ...args]);
    assert.equal((await create()).code, 2);
    assert.match((await create("--name", "ci", "--role", "root")).stderr, /one of viewer, operator, admin/);
    assert.match((await create("--name", "ci", "--role", "viewer", "--expires", "soon")).stderr, /"soon" is no time/);
    const unknown = await create("--name", "ci", "--role", "viewer", "--repository", "nope");
    assert.match(unknown.stderr, /no repository is called "nope"; there are shop, till/);
    assert.match((await run(["token", "revoke", "none"])).stderr, /revoking the token "none": there is none/);
  });
});
