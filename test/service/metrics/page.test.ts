import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { createNumbers } from "../../../service/metrics/registry.ts";
import { aPreview } from "../../support/previews.ts";
import { type AppEdge, startApp, TOKEN } from "../app/app-edge.ts";

const OWN = "for-prometheus-alone";
const HOST = "localhost:4000";

describe("/metrics", () => {
  let folder: string;
  let edge: AppEdge;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-metrics-"));
    await writeFile(join(folder, "token"), `${OWN}\n`, { mode: 0o600 });
  });
  after(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    edge = await startApp({ metrics: { text: createNumbers().text, token: { file: join(folder, "token") } } });
  });
  afterEach(() => edge.close());

  const ask = (token: string | undefined, { host = HOST, path = "/metrics" } = {}) =>
    edge.ask({ host, path, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  const make = async (repositories?: readonly string[]) =>
    (await edge.tokens.create({ name: "reader", role: "viewer", ...(repositories ? { repositories } : {}) }, "test"))
      .token;

  const untilSlowed = async () => {
    let last = 0;
    for (let tries = 0; tries < 40 && last !== 429; tries += 1) last = (await ask("wrong")).status;
    return last;
  };

  it("is read with a token of its own, a viewer's, or the instance's", async () => {
    for (const token of [OWN, await make(), TOKEN]) {
      const answer = await ask(token);
      assert.equal(answer.status, 200);
      assert.match(String(answer.headers["content-type"]), /^text\/plain; version=0\.0\.4/);
      assert.match(answer.body, /^process_cpu_seconds_total \d/m);
    }
  });

  it("tells nobody else anything, and where to find out", async () => {
    for (const [token, status] of [
      [undefined, 401],
      ["wrong", 401],
      [`${OWN}x`, 401],
      [await make(["shop"]), 403],
    ] as const) {
      const answer = await ask(token);
      assert.equal(answer.status, status, token);
      assert.doesNotMatch(answer.body, /process_|stackling_/);
    }
    assert.match((await ask(undefined)).body, /docs\/observability\.md/);
  });

  it("is read under whatever address a replica has, with a token and not without", async () => {
    assert.equal((await ask(OWN, { host: "10.1.2.3:4000" })).status, 200);
    assert.equal((await ask(undefined, { host: "10.1.2.3:4000" })).status, 401);
    assert.equal((await ask(OWN, { host: "10.1.2.3:4000", path: "/api/v1/previews" })).status, 421);
  });

  it("belongs to the application on a preview's host", async () => {
    edge.store.put(aPreview({ urls: { web: `http://pr-42-shop.${HOST}` } }));
    const answer = await ask(OWN, { host: `pr-42-shop.${HOST}` });
    assert.doesNotMatch(answer.body, /process_cpu/);
  });

  it("opens nothing else with its own token", async () => {
    assert.equal((await ask(OWN, { path: "/api/v1/previews" })).status, 401);
  });

  it("stays shut, and says why in the log, while its token cannot be read", async () => {
    await edge.close();
    edge = await startApp({ metrics: { text: async () => "", token: { env: "STACKLING_TEST_NOT_SET" } } });
    assert.equal((await ask("")).status, 401);
    assert.equal((await ask(OWN)).status, 401);
    assert.match(String(edge.errors[0]), /STACKLING_TEST_NOT_SET/);
    assert.equal((await ask(TOKEN)).status, 200);
  });

  it("slows down who tries many wrong tokens, and lets in who was right before", async () => {
    assert.equal((await ask(OWN)).status, 200);
    assert.equal(await untilSlowed(), 429);
    assert.equal((await ask(OWN)).status, 200);
  });

  it("looks at no token, the right one too, behind too many wrong ones from its address", async () => {
    assert.equal(await untilSlowed(), 429);
    assert.equal((await ask(OWN)).status, 429);
    assert.equal((await ask(TOKEN)).status, 200);
  });

  it("looks at one that is too long to be guessed all the same", async () => {
    const long = "0123456789abcdef".repeat(2);
    await writeFile(join(folder, "token"), long, { mode: 0o600 });
    try {
      assert.equal(await untilSlowed(), 429);
      assert.equal((await ask(long.replace("0", "x"))).status, 429);
      assert.equal((await ask(long)).status, 200);
    } finally {
      await writeFile(join(folder, "token"), `${OWN}\n`, { mode: 0o600 });
    }
  });
});
