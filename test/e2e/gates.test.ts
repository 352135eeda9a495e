/** Smoke tests and gates on the real engine: what passes counts as good, what fails goes back to it. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { requires } from "../support/requires.ts";
import { type Instance, prepareInstance } from "./support/instance.ts";
import { tinyApp } from "./support/tiny-app.ts";

/** Its smoke test says what the text says; its gate asks the version that serves, and prints a secret of its own. */
const SERVER = `
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
const text = readFileSync("text.txt", "utf8").trim();
createServer((request, response) => {
  const isStatus = request.url === "/status";
  response.writeHead(isStatus && text === "broken" ? 500 : 200, { "content-type": "application/json" });
  response.end(JSON.stringify({ text, ok: text !== "wrong", host: request.headers.host }));
}).listen(process.env.PORT, "127.0.0.1");
`;

const GATE = `
const { STACKLING_ADDRESS, KEY } = process.env;
const { text } = await (await fetch(STACKLING_ADDRESS + "/status")).json();
console.log("found " + text + " with " + KEY);
process.exit(text === "barred" ? 3 : 0);
`;

const PREVIEW = `
services: {web: {command: node server.mjs, health: /health, env: {KEY: "\${secrets.KEY}"}}}
secrets: {KEY: generated}
smoke:
  - path: /status
    status: 200
    json: {ok: true}
    within: 1s
gates:
  - command: node gate.mjs
  - pageSpeed: {totalKB: 100, requests: 1}
`;

describe("a pull request whose preview.yaml names smoke tests and gates", requires("engine", "postgres"), () => {
  let shop: TestRepository;
  let instance: Instance;
  let open: string;

  before(async () => {
    const files = { ...tinyApp({ text: "main", server: SERVER }), "gate.mjs": GATE, "preview.yaml": PREVIEW };
    shop = await createRepository({ files });
    open = await shop.commit("open", { "text.txt": "one" }, "Say one");
    instance = await prepareInstance({
      config: (port) => JSON.stringify({ port, repositories: [{ path: shop.path, name: "shop" }] }),
    });
    await instance.start();
  });
  after(async () => {
    await instance?.remove();
    await shop?.remove();
  });

  const settled = (commit: string, what: string) =>
    instance.waitFor(
      "shop#1",
      ({ condition, headSha, commit: serves, failedChecks }) =>
        headSha === commit &&
        (condition === "Ready"
          ? serves === commit
          : condition === "Stalled" && failedChecks?.commit === commit && serves !== commit),
      what,
    );
  const textAt = async (url: string | undefined) =>
    (JSON.parse((await instance.get(url ?? "")).text) as { text: string }).text;

  it("is ready once they passed, and no visit of theirs counts", async () => {
    const { condition, checks, lastVisitAt, goodCommits, message } = await settled(open, "was checked");
    assert.deepEqual([condition, message], ["Ready", "Serving."]);
    assert.deepEqual(
      checks?.results.map(({ kind, ok }) => [kind, ok]),
      [
        ["smoke", true],
        ["command", true],
        ["pageSpeed", true],
      ],
    );
    assert.deepEqual([lastVisitAt, goodCommits], [undefined, undefined]);
  });

  it("serves the commit before again when a smoke test fails, and then when a command does", async () => {
    const broken = await shop.commit("open", { "text.txt": "broken" }, "Break it");
    const first = await settled(broken, "went back");
    assert.deepEqual([first.condition, first.reason, first.commit], ["Stalled", "SmokeTestFailed", open]);
    assert.match(first.message, /^Smoke test "GET \/status": it answered 500, not 200/);
    assert.equal(await textAt(first.url), "one");

    const barred = await shop.commit("open", { "text.txt": "barred" }, "Bar it");
    const second = await settled(barred, "went back again");
    assert.deepEqual([second.condition, second.reason, second.commit], ["Stalled", "GateFailed", open]);
    assert.match(second.message, /running the gate "node gate.mjs": it exited with code 3/);
    assert.match(second.excerpt.join("\n"), /^found barred with \[redacted\]$/m);
    assert.equal(await textAt(second.url), "one");
    assert.deepEqual([second.rolledBack?.sha, second.rolledBack?.by], [open, "gates"]);
  });

  it("serves the next push that passes", async () => {
    const mended = await shop.commit("open", { "text.txt": "two" }, "Mend it");
    const { condition, commit, url, goodCommits, failedChecks } = await settled(mended, "was mended");
    assert.deepEqual([condition, commit, failedChecks], ["Ready", mended, undefined]);
    assert.equal(await textAt(url), "two");
    assert.deepEqual(
      goodCommits?.map(({ sha }) => sha),
      [open],
    );
  });
});
