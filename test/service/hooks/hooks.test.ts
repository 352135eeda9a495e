import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, describe, it } from "node:test";
import { Webhook } from "standardwebhooks";
import type { HookConfig } from "../../../service/config/hooks.ts";
import { type Hooks, startHooks } from "../../../service/hooks/hooks.ts";
import type { Preview, PreviewStatus } from "../../../service/status.ts";
import { openStore, type PostgresStore } from "../../../service/store/postgres.ts";
import { eventually } from "../../support/eventually.ts";
import { type HookReceiver, startHookReceiver } from "../../support/hook-receiver.ts";
import { testDatabase } from "../../support/postgres.ts";
import { aPreview } from "../../support/previews.ts";
import { silent } from "../../support/reconcile-world.ts";

const SECRET = `whsec_${Buffer.from("a secret of 24 characters").toString("base64")}`;
const URLS = { web: "https://pr-42-shop.preview.acme.dev" };
process.env.STACKLING_TEST_HOOK = SECRET;

describe("outgoing webhooks", () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let store: PostgresStore;
  let receiver: HookReceiver;
  const running: Hooks[] = [];
  const silences: Silence[] = [];
  let number = 0;

  before(async () => {
    database = await testDatabase();
    store = await openStore({ url: database.url, holder: "one", logger: silent, now: () => new Date().toISOString() });
    receiver = await startHookReceiver();
  });
  after(async () => {
    receiver.close();
    await store.close();
    await database.drop();
  });
  afterEach(async () => {
    for (const silence of silences.splice(0)) silence.close();
    for (const hooks of running.splice(0)) await hooks.close();
    receiver.answer(204);
    receiver.received.length = 0;
  });

  function start(
    hook: Partial<HookConfig> = {},
    againSeconds: readonly number[] = [0.05, 0.05, 60],
    others: Readonly<Record<string, string>> = {},
  ): Hooks {
    const events: HookConfig["events"] = ["ready", "failed", "gone"];
    const secret = { env: "STACKLING_TEST_HOOK" };
    const hooks = startHooks({
      store,
      logger: silent,
      lookEveryMs: 20,
      againSeconds,
      config: {
        repositories: [],
        scheme: "https",
        domain: "preview.acme.dev",
        hooks: {
          e2e: { url: receiver.url, secret, events, ...hook },
          ...Object.fromEntries(Object.entries(others).map(([name, url]) => [name, { url, secret, events }])),
        },
      },
    });
    running.push(hooks);
    return hooks;
  }

  /** Each test has a preview of its own: what was told of one is remembered. */
  function nextPreview(): (status?: Partial<PreviewStatus>) => Preview {
    number += 1;
    const mine = number;
    return (status = {}) => aPreview({ number: mine, urls: URLS, status });
  }

  const countOf = (count: number) =>
    eventually(() => receiver.received.length >= count, { what: `${count} deliveries` });

  it("tell what is ready, once, signed as Standard Webhooks says", async () => {
    const hooks = start();
    const preview = nextPreview();
    await hooks.announce(preview({ condition: "Reconciling", reason: "Updating" }));
    await hooks.announce(preview());
    await hooks.announce(preview());
    await countOf(1);
    await hooks.announce(preview({ condition: "Stalled", reason: "BuildFailed" }));
    await countOf(2);
    const [first, second] = receiver.received;
    assert.ok(first && second);
    const told = new Webhook(SECRET).verify(first.body, first.headers as Record<string, string>) as {
      type: string;
      data: { event: string; key: string; url: string };
    };
    assert.equal(told.type, "preview.ready");
    assert.deepEqual([told.data.key, told.data.url], [preview().key, URLS.web]);
    assert.match(second.body, /"type":"preview\.failed"/);
    assert.throws(() => new Webhook(SECRET).verify(`${first.body} `, first.headers as Record<string, string>));
    assert.equal(receiver.received.length, 2);
  });

  it("lose nothing that was announced when the service ends before it is sent", async () => {
    const preview = nextPreview();
    receiver.answer(503);
    const first = start({}, Array(1_000).fill(0.02));
    await first.announce(preview());
    await countOf(1);
    await first.close();
    receiver.answer(204);
    start();
    await eventually(() => receiver.received.some(({ status }) => status === 204), { what: "one that was taken" });
    const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
    assert.ok(ids.length >= 2);
    assert.equal(new Set(ids).size, 1, "an attempt has the id of the one before");
  });

  it("are sent by one replica only", async () => {
    const preview = nextPreview();
    const [one, other] = [start(), start()];
    await Promise.all([one.announce(preview()), other.announce(preview())]);
    await countOf(1);
    // What is over is behind both: another event is delivered last.
    await one.announce(preview({ condition: "Ready", reason: "Gone", goneAt: "2026-11-22T00:00:00.000Z" }));
    await eventually(() => receiver.received.some(({ body }) => body.includes("preview.gone")));
    assert.equal(receiver.received.length, 2);
  });

  it("follow no redirect, are given up after their last attempt, and doctor says so without the address's secret", async () => {
    const hooks = start({}, [0.01]);
    receiver.answer(302);
    await hooks.announce(nextPreview()());
    const finding = await eventually(async () => (await hooks.check()).find(({ what }) => what.includes("1 given up")));
    assert.match(finding.what, /hook "e2e": 1 given up, 0 tried again; it answered 302/);
    assert.doesNotMatch(JSON.stringify(finding), /hidden/);
    assert.equal(receiver.received.length, 2);
  });

  it("are no fault any more once a later one was taken and nothing waits", async () => {
    const hooks = start({ events: [] }, [], { recovering: receiver.url });
    const found = async () => (await hooks.check()).filter(({ ok, what }) => !ok && what.includes("recovering"));
    receiver.answer(500);
    await hooks.announce(nextPreview()());
    await eventually(async () => (await found()).length > 0, { what: "a finding" });
    receiver.answer(204);
    await hooks.announce(nextPreview()());
    await eventually(async () => (await found()).length === 0, { what: "no finding" });
  });

  it("are told by doctor to need another secret, which is not shown", async () => {
    process.env.STACKLING_TEST_BAD_HOOK = "*not base64*";
    const hooks = start({ secret: { env: "STACKLING_TEST_BAD_HOOK" } });
    const finding = (await hooks.check()).find(({ ok }) => !ok);
    assert.match(finding?.what ?? "", /hook "e2e": its secret cannot be read/);
    assert.doesNotMatch(JSON.stringify(finding), /not base64/);
  });

  it("go to nobody who did not ask for that event", async () => {
    const hooks = start({ events: ["gone"] });
    const preview = nextPreview();
    await hooks.announce(preview());
    await hooks.announce(preview({ condition: "Ready", reason: "Gone", goneAt: "2026-11-22T00:00:00.000Z" }));
    await countOf(1);
    assert.match(receiver.received[0]?.body ?? "", /preview\.gone/);
  });

  it("reach everybody else while one of them does not answer", async () => {
    const silence = await startSilence();
    silences.push(silence);
    const hooks = start({}, [60], { silent: silence.url });
    for (let count = 0; count < 12; count++) await hooks.announce(nextPreview()());
    await countOf(12);
    await eventually(() => silence.asked > 0, { what: "a request that nobody answers" });
  });

  it("are left for the next start where the service ends before their turn", async () => {
    const silence = await startSilence();
    silences.push(silence);
    const hooks = start({ events: [] }, [60], { later: silence.url });
    await hooks.announce(nextPreview()());
    await eventually(() => silence.asked === 1, { what: "a request that nobody answers" });
    for (let count = 0; count < 10; count++) await hooks.announce(nextPreview()());
    const closed = hooks.close();
    silence.answer();
    await closed;
    assert.equal(silence.asked, 1);
    start({ events: [] }, [60], { later: silence.url });
    await eventually(() => silence.asked === 11, { what: "those that were left" });
  });

  it("are given up where the operator does not name the hook any more", async () => {
    receiver.answer(503);
    const before = start({ events: [] }, [60], { former: receiver.url });
    await before.announce(nextPreview()());
    await countOf(1);
    await before.close();
    const hooks = start();
    const finding = await eventually(async () =>
      (await hooks.check()).find(({ what }) => what.includes('"former": 1 given up, 0 tried again')),
    );
    assert.match(finding.what, /it is not in the configuration any more/);
  });
});

/** Somebody who takes requests and leaves them without an answer. */
interface Silence {
  readonly url: string;
  /** Requests that came. */
  readonly asked: number;
  /** Those that wait, and all from now on. */
  answer(): void;
  close(): void;
}

async function startSilence(): Promise<Silence> {
  const held: ServerResponse[] = [];
  let asked = 0;
  let answers = false;
  const server = createServer((request, response) => {
    request.resume();
    asked += 1;
    if (answers) response.writeHead(204).end();
    else held.push(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    get asked() {
      return asked;
    },
    answer() {
      answers = true;
      for (const response of held.splice(0)) response.writeHead(204).end();
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
