/** The main job: pull requests of local git repositories from their opening to the proof that nothing is left. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { WebSocket } from "ws";
import type { PreviewView } from "../../service/api/preview-view.ts";
import type { Receipt } from "../../service/status.ts";
import { eventually } from "../support/eventually.ts";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { requires } from "../support/requires.ts";
import { type Instance, prepareInstance } from "./support/instance.ts";
import { processesOf, remainsOf } from "./support/oracle.ts";
import { shopApp } from "./support/shop-app.ts";
import { tinyApp } from "./support/tiny-app.ts";
import { dial, visitorOf } from "./support/visitor.ts";

const HEADLINE = "Good tea, plainly told.";

interface ShopStatus {
  readonly service: string;
  readonly preview: string;
  readonly commit: string;
  readonly database: string;
  readonly orders: number;
}

describe("pull requests of a shop on this machine", requires("engine", "postgres"), () => {
  let files: Record<string, string>;
  let repository: TestRepository;
  let instance: Instance;
  let iced: PreviewView;
  let evening: PreviewView;
  /** Path of the order's page. */
  let order = "";

  before(async () => {
    files = await shopApp();
    repository = await createRepository({ files });
    instance = await prepareInstance({
      config: (port) => `port: ${port}\nrepositories:\n  - { path: ${repository.path}, name: teashop }\n`,
    });
    await instance.start();
  });
  after(async () => {
    await instance.remove();
    await repository.remove();
  });

  it("serves each one's own code when they are opened", async () => {
    const commits = { iced: await say("iced", "Tea over ice."), evening: await say("evening", "An evening with tea.") };
    iced = await instance.waitForBranch("iced", isLive(commits.iced), "live");
    evening = await instance.waitForBranch("evening", isLive(commits.evening), "live");
    assert.match((await visitorOf(iced.url ?? "").get("/")).text, /Tea over ice\./);
    assert.match((await visitorOf(evening.url ?? "").get("/")).text, /An evening with tea\./);
  });

  it("keeps their rows apart when something is ordered in one", async () => {
    const visitor = visitorOf(iced.url ?? "");
    const product = /name="product" value="([^"]+)"/.exec((await visitor.get("/")).text)?.[1] ?? "";
    await visitor.post("/cart/add", { product });
    const placed = await visitor.post("/orders", { customer: "Ada of the test", email: "ada@example.com" });
    order = placed.headers.location ?? "";
    assert.match(order, /^\/orders\//);
    assert.match((await visitor.get(order)).text, /Ada of the test/);
    const [here, there] = [await statusOf(iced), await statusOf(evening)];
    assert.notEqual(here.database, there.database);
    assert.deepEqual([here.orders, there.orders], [1, 0]);
  });

  it("keeps the order's mail in that preview's inbox, and in no other's", async () => {
    assert.deepEqual(iced.inboxes, [{ name: "mail", url: `${iced.urls["emulated-mail"]}/inbox` }]);
    const [mail] = await mailsOf(iced, "?to=ada@example.com&wait=30");
    assert.match(mail?.subject ?? "", /^Your order \d+$/);
    const whole = await visitorOf(inboxOf(iced)).get(`/inbox/messages/${mail?.id}`);
    assert.ok(JSON.parse(whole.text).html.includes(`${iced.url}${order}`));
    assert.deepEqual(await mailsOf(evening), []);
  });

  it("knows a visitor whom Stackling logs in as a user of its seeds, and nobody by the token of another", async () => {
    const { url = "", login } = iced;
    const visitor = visitorOf(url);
    const asked = await visitor.post("/.stackling/login", { as: login?.users[0]?.name ?? "" });
    const { pathname, search } = new URL(asked.headers.location ?? "");
    assert.equal((await visitorOf(evening.url ?? "").get(pathname + search)).status, 403);
    assert.equal((await visitor.get(pathname + search)).status, 303);
    assert.match((await visitor.get("/")).text, /Logged in as <b>ada<\/b>/);
  });

  it("reaches the second service at a host of its own", async () => {
    const { web = "", api = "" } = iced.urls;
    assert.notEqual(new URL(api).host, new URL(web).host);
    const answer = await visitorOf(api).get(`/api/v1${order}`);
    assert.equal(answer.headers["access-control-allow-origin"], web);
    assert.ok(JSON.parse(answer.text).number > 0);
    assert.equal((await visitorOf(evening.urls.api ?? "").get(`/api/v1${order}`)).status, 404);
  });

  it("lets the worker do its work", async () => {
    const { api = "" } = iced.urls;
    await eventually(async () => JSON.parse((await visitorOf(api).get(`/api/v1${order}`)).text).status === "packed");
  });

  it("loses no request and no row when a push is rolled out", async () => {
    const before = iced.commit ?? "";
    const asking = askInALoop(iced.url ?? "");
    await eventually(() => asking.answers.length > 10);
    const pushed = await say("iced", "Tea over more ice.");
    iced = await instance.waitForBranch("iced", isLive(pushed), "updated");
    await eventually(() => asking.answers.at(-1) === pushed);
    const answers = await asking.stop();
    assert.deepEqual(new Set(answers), new Set([before, pushed]));
    assert.deepEqual(
      answers,
      answers.toSorted((a, b) => Number(a === pushed) - Number(b === pushed)),
    );
    assert.match((await visitorOf(iced.url ?? "").get("/")).text, /Tea over more ice\./);
    assert.match((await visitorOf(iced.url ?? "").get(order)).text, /Ada of the test/);
  });

  it("comes back to the same links when the service is stopped and started", async () => {
    await instance.stop();
    assert.deepEqual(await processesOf({ dataDir: instance.dataDir, stack: iced.stack }), []);
    await instance.start();
    const again = await instance.waitForBranch("iced", isLive(iced.commit ?? ""), "live again");
    assert.equal(again.url, iced.url);
    await eventually(async () => (await visitorOf(iced.url ?? "").get("/health")).status === 200);
    assert.match((await visitorOf(iced.url ?? "").get(order)).text, /Ada of the test/);
    await eventually(async () => (await visitorOf(inboxOf(iced)).get("/inbox")).status === 200);
    assert.equal((await mailsOf(iced)).length, 1);
    await eventually(async () => (await visitorOf(evening.url ?? "").get("/health")).status === 200);
  });

  it("goes on serving through a SIGKILL of the service and is adopted by the next", async () => {
    const pids = await processesOf({ dataDir: instance.dataDir, stack: iced.stack });
    assert.ok(pids.length >= 3);
    await instance.kill();
    const { address } = JSON.parse(
      await readFile(join(instance.dataDir, "previews", iced.stack, "routes/web.json"), "utf8"),
    ) as { address: string };
    assert.equal((await dial(Number(address.split(":")[1]), { path: "/health" })).status, 200);
    await instance.start();
    assert.equal((await visitorOf(iced.url ?? "").get("/health")).status, 200);
    assert.deepEqual(await processesOf({ dataDir: instance.dataDir, stack: iced.stack }), pids);
  });

  it("names file and statement of a migration that its rows forbid, serves on, and takes it on a new database", async () => {
    const { key, commit, url = "" } = iced;
    const strict = "ALTER TABLE orders ADD CONSTRAINT no_tests CHECK (customer NOT LIKE '%test');\n";
    const pushed = await repository.commit("iced", { "migrations/900-strict.sql": `SELECT 1;\n${strict}` });
    const stalled = await instance.waitFor(key, ({ condition }) => condition === "Stalled", "stalled");
    assert.equal(stalled.reason, "MigrationFailed");
    assert.match(
      stalled.message,
      /"900-strict\.sql" failed: check constraint "no_tests" of relation "orders" is violated by some row, in "ALTER TABLE orders ADD CONSTRAINT no_tests CHECK/,
    );
    assert.match(stalled.comment ?? "", /900-strict\.sql/);
    assert.equal(stalled.commit, commit);
    assert.match((await visitorOf(url).get(order)).text, /Ada of the test/);

    await instance.client.act(key, { action: "reset-db" });
    iced = await instance.waitFor(key, isLive(pushed), "live on a new database");
    assert.equal((await statusOf(iced)).orders, 0);
  });

  it("has another scenario's rows, and those alone, when somebody chooses it", async () => {
    assert.equal(iced.scenario, "demo");
    const { since } = iced;
    await instance.client.act(iced.key, { action: "seed", scenario: "busy-day" });
    const isSeeded = (preview: PreviewView) => preview.since !== since && preview.scenario === "busy-day";
    iced = await instance.waitFor(iced.key, (preview) => isSeeded(preview) && preview.reason === "Healthy", "seeded");
    assert.deepEqual([(await statusOf(iced)).orders, (await statusOf(evening)).orders], [40, 0]);
  });

  it("goes back to an older commit and its schema, once though it is killed, and follows the next push", async () => {
    const good = iced.commit ?? "";
    const migration = "CREATE TABLE gifts (id int); ALTER TABLE orders ADD gift text;";
    const migrated = await repository.commit("iced", { "migrations/901-gifts.sql": migration });
    iced = await instance.waitForBranch("iced", isLive(migrated), "migrated");
    assert.ok(tablesAdded(iced).includes("gifts"));
    const visitor = visitorOf(iced.url ?? "");
    const product = /name="product" value="([^"]+)"/.exec((await visitor.get("/")).text)?.[1] ?? "";
    await visitor.post("/cart/add", { product });
    await visitor.post("/orders", { customer: "Grace" });
    assert.equal((await statusOf(iced)).orders, 41);

    await instance.client.act(iced.key, { action: "rollback" });
    await instance.kill();
    await instance.start();
    iced = await instance.waitFor(iced.key, (preview) => isLive(good)(preview), "rolled back");
    assert.equal(iced.rolledBack?.sha, good);
    assert.ok(tablesAdded(iced).includes("orders") && !tablesAdded(iced).includes("gifts"));
    const { commit, orders } = await statusOf(iced);
    assert.deepEqual([commit, orders], [good, 40]);
    assert.match(
      (await instance.client.find(iced.key)).comment ?? "",
      /Rolled back to `\w{7}` on the command line, on a database made anew; a push/,
    );

    const next = await say("iced", "Tea over ice, once more.");
    iced = await instance.waitForBranch("iced", isLive(next), "following the head");
    assert.equal(iced.rolledBack, undefined);
    assert.ok(tablesAdded(iced).includes("gifts"));
    assert.equal((await statusOf(iced)).orders, 40);
  });

  it("leaves nothing but a receipt when the pull request is closed", async () => {
    await repository.deleteBranch("iced");
    await instance.waitFor(iced.key, ({ stage }) => stage === "Gone", "gone");
    assert.deepEqual(await remainsOf({ dataDir: instance.dataDir, stack: iced.stack }), []);
    assert.equal((await visitorOf(iced.url ?? "").get("/", { accept: "text/html" })).status, 404);
    const { receipts } = (await instance.ask(`/previews/${encodeURIComponent(iced.key)}/history`)) as {
      receipts: Receipt[];
    };
    assert.equal(receipts.length, 1);
    assert.equal(receipts[0]?.reason, "Closed");
    assert.ok(receipts[0]?.removed.some((urn) => urn.includes("stackling:local:Database")));
    assert.ok(receipts[0]?.proof.every(({ found }) => found === 0));
    assert.equal((await statusOf(evening)).orders, 0);
    const told = await instance.metrics();
    assert.equal(told.get('stackling_destroy_attempts_total{outcome="done",repository="teashop"}'), 1);
    assert.equal(told.get('stackling_destroy_proofs_total{reason="Closed",repository="teashop"}'), 1);
    assert.equal(told.get("stackling_previews_unproved"), 0);
    assert.ok((told.get('stackling_gateway_requests_total{code="2xx",repository="teashop"}') ?? 0) > 0);
  });

  it("begins anew, with rows of its own, when a pull request is opened from the same branch", async () => {
    const commit = await say("iced", "Tea, once more.");
    const { key, url = "" } = await instance.waitForBranch("iced", isLive(commit), "live");
    assert.notEqual(key, iced.key);
    assert.equal((await visitorOf(url).get(order)).status, 404);
  });

  function say(gitBranch: string, headline: string): Promise<string> {
    const theme = files["theme.mjs"] ?? "";
    assert.ok(theme.includes(HEADLINE));
    return repository.commit(gitBranch, { "theme.mjs": theme.replace(HEADLINE, headline) });
  }
});

describe("what a push can do to a preview that serves", { ...requires("engine", "postgres"), concurrency: 3 }, () => {
  let repository: TestRepository;
  let instance: Instance;

  before(async () => {
    repository = await createRepository({
      files: { ...tinyApp({ text: "main" }), "preview.yaml": FRAGILE, "build.mjs": "" },
    });
    instance = await prepareInstance({
      config: (port) =>
        `port: ${port}\nrepositories:\n  - { path: ${repository.path}, name: fragile }\nlimits: { engineRuns: 3 }\n`,
    });
    await instance.start();
  });
  after(async () => {
    await instance.remove();
    await repository.remove();
  });

  for (const [reason, { file, text, says }] of Object.entries(faults())) {
    it(`keeps the old version up and says ${reason}, until a good push heals it`, async () => {
      const branch = reason.toLowerCase();
      const first = await repository.commit(branch, { "text.txt": "first" });
      const { key, url = "" } = await instance.waitForBranch(branch, isLive(first), "live");
      const good = await repository.git("show", `main:${file}`);

      await repository.commit(branch, { [file]: text, "text.txt": "second" });
      const stalled = await instance.waitFor(key, ({ condition }) => condition === "Stalled", "stalled");
      assert.equal(stalled.reason, reason);
      assert.match(stalled.excerpt.join("\n"), says);
      assert.equal(stalled.commit, first);
      assert.match((await visitorOf(url).get("/")).text, /^first /);

      const healed = await repository.commit(branch, { [file]: good, "text.txt": "third" });
      await instance.waitFor(key, isLive(healed), "healed");
      assert.match((await visitorOf(url).get("/")).text, /^third /);
      assert.equal((await processesOf({ dataDir: instance.dataDir, stack: stalled.stack })).length, 2);
    });
  }

  it("carries server-sent events and WebSockets", async () => {
    const commit = await repository.commit("live-wires", { "server.mjs": STREAMS });
    const { url = "" } = await instance.waitForBranch("live-wires", isLive(commit), "live");
    const { host, port } = new URL(url);
    const events = await visitorOf(url).get("/events");
    assert.equal(events.headers["content-type"], "text/event-stream");
    assert.equal(events.text, "data: 1\n\ndata: 2\n\n");
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, { headers: { host } });
    const answer = await new Promise((resolve, reject) => {
      socket.on("error", reject);
      socket.on("message", (data) => resolve(String(data)));
    });
    socket.terminate();
    assert.equal(answer, "hello");
  });
});

const FRAGILE = `
build: node build.mjs
services:
  web:
    command: node server.mjs
    health: /health
    startTimeoutSeconds: 4
database:
  migrate: node migrate.mjs
`;

function faults(): Record<string, { file: string; text: string; says: RegExp }> {
  return {
    BuildFailed: { file: "build.mjs", text: `console.log("no such part"); process.exit(3);`, says: /no such part/ },
    StartFailed: { file: "server.mjs", text: `console.log("cannot begin"); process.exit(4);`, says: /cannot begin/ },
    HealthCheckFailed: {
      file: "server.mjs",
      text: `import { createServer } from "node:http";
        createServer((_, response) => { console.log("not well"); response.writeHead(500).end(); })
          .listen(process.env.PORT, "127.0.0.1");`,
      says: /not well/,
    },
    PortNotOpen: {
      file: "server.mjs",
      text: `console.log("listening to nobody"); setInterval(() => {}, 1000);`,
      says: /listening to nobody/,
    },
    MigrationFailed: {
      file: "migrate.mjs",
      text: `throw new Error("table is in the way");`,
      says: /table is in the way/,
    },
  };
}

/** Two events, and a WebSocket that says hello: RFC 6455's handshake and one unmasked text frame. */
const STREAMS = `
import { createHash } from "node:crypto";
import { createServer } from "node:http";
const server = createServer((request, response) => {
  if (request.url !== "/events") return response.end("ok");
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write("data: 1\\n\\n");
  setTimeout(() => response.end("data: 2\\n\\n"), 100);
});
server.on("upgrade", ({ headers }, socket) => {
  const accept = createHash("sha1")
    .update(headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");
  socket.write("HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n" +
    "Sec-WebSocket-Accept: " + accept + "\\r\\n\\r\\n");
  socket.write(Buffer.concat([Buffer.from([0x81, 5]), Buffer.from("hello")]));
  socket.on("error", () => {});
});
server.listen(process.env.PORT, "127.0.0.1");
`;

function isLive(commit: string): (preview: PreviewView) => boolean {
  return (preview) => preview.reason === "Healthy" && preview.commit === commit;
}

async function statusOf({ url = "" }: PreviewView): Promise<ShopStatus> {
  return JSON.parse((await visitorOf(url).get("/api/v1/status")).text) as ShopStatus;
}

function tablesAdded({ schema }: PreviewView): readonly string[] {
  const added = schema?.changes.filter(({ change, kind }) => change === "added" && kind === "table") ?? [];
  return added.map(({ name }) => name);
}

async function mailsOf(preview: PreviewView, query = ""): Promise<readonly { id: string; subject: string }[]> {
  return JSON.parse((await visitorOf(inboxOf(preview)).get(`/inbox/messages${query}`)).text).messages;
}

function inboxOf({ urls }: PreviewView): string {
  return urls["emulated-mail"] ?? "";
}

/** Asks one request after the other; each answer is the commit that gave it, or what went wrong. */
function askInALoop(url: string): { readonly answers: readonly string[]; stop(): Promise<readonly string[]> } {
  const answers: string[] = [];
  let stopped = false;
  const loop = (async () => {
    while (!stopped) {
      const answer = await visitorOf(url)
        .get("/api/v1/status")
        .catch((error: Error) => ({ status: 0, text: error.message }));
      answers.push(
        answer.status === 200 ? (JSON.parse(answer.text) as ShopStatus).commit : `${answer.status} ${answer.text}`,
      );
    }
  })();
  return {
    answers,
    async stop() {
      stopped = true;
      await loop;
      return answers;
    },
  };
}
