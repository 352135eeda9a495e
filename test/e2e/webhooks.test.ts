/** Deliveries, good and bad, at the door of a real service; none that got a 2xx is lost, whatever is killed when. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { signedHeaders } from "../support/emulate.ts";
import { eventually } from "../support/eventually.ts";
import { requires } from "../support/requires.ts";
import { type Deliveries, openDeliveries, synchronized } from "./support/deliveries.ts";
import { type GithubWorld, prepareGithubWorld } from "./support/github-world.ts";
import { findServer } from "./support/servers.ts";
import { tinyApp } from "./support/tiny-app.ts";

const LIMITS = "limits: { webhookBytes: 4194304, largeBodies: 1 }";

describe("webhooks of a running service", requires("engine", "postgres"), () => {
  let world: GithubWorld;
  let deliveries: Deliveries;
  let headSha: string;
  before(async () => {
    world = await prepareGithubWorld({ files: tinyApp({ text: "main" }) });
    await world.instance.start({ config: world.config({ more: LIMITS }) });
    deliveries = openDeliveries(world.instance.port);
    ({ headSha } = await world.github.open({ gitBranch: "cart", files: { "text.txt": "cart" } }));
    await world.instance.waitFor("shop#1", (p) => p.reason === "Healthy", "live");
  });
  after(async () => {
    deliveries.close();
    await world.remove();
  });

  const start = () => world.instance.start({ config: world.config({ more: LIMITS }) });
  const query = async <T extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<T[]> => {
    const client = new pg.Client({ connectionString: (await findServer(world.instance.dataDir, "store")).url });
    await client.connect();
    try {
      return (await client.query<T>(text, [...values])).rows;
    } finally {
      await client.end();
    }
  };
  const stored = async (like = "%") =>
    Number((await query<{ n: string }>("select count(*) as n from delivery where delivery_id like $1", [like]))[0]?.n);
  const finds = (key: string) =>
    world.instance.steps.filter((reached) => reached.step === "find" && reached.key === key).length;
  /** Everything enqueued before has been taken up when this is true. */
  const takenUp = async () => {
    const before = finds("shop#404");
    await deliveries.send({ body: synchronized(404) });
    await eventually(() => finds("shop#404") > before, { what: "a look at shop#404" });
  };

  const opened = synchronized(1);
  const other = synchronized(1, "acme/other");
  const refused: readonly [string, number, string, Readonly<Record<string, string | undefined>>][] = [
    ["a wrong signature", 401, opened, signedHeaders("pull_request", opened, "guessed")],
    ["no signature", 401, opened, { "x-hub-signature-256": undefined }],
    ["another content type", 415, opened, { "content-type": "application/x-www-form-urlencoded" }],
    ["broken JSON", 400, "{", signedHeaders("pull_request", "{")],
    ["valid JSON of the wrong shape", 400, "[1]", signedHeaders("pull_request", "[1]")],
    ["an unknown event", 202, opened, { "x-github-event": "deployment_review" }],
    ["a repository that is not configured", 202, other, {}],
  ];
  for (const [what, status, body, headers] of refused) {
    it(`answers ${status} to ${what} and stores nothing`, async () => {
      const before = await stored();
      const pid = world.instance.pid();
      const answer = await deliveries.send({ body, headers });
      assert.equal(answer.status, status, answer.body);
      if (status === 202) assert.match(answer.body, /ignored|notConfigured/);
      assert.equal(await stored(), before);
      assert.equal(process.kill(pid, 0), true);
    });
  }

  it("answers 413 to what is too large, without reading it", async () => {
    const large = deliveries.begin(5 * 1024 * 1024);
    assert.equal((await large.answer).status, 413);
    large.end();
    const body = " ".repeat(4 * 1024 * 1024 + 1);
    const sent = await deliveries.send({ body }).catch((error: NodeJS.ErrnoException) => error.code);
    // Written to to the end, the connection may be reset before the answer is read.
    assert.ok(sent === "ECONNRESET" || sent === "EPIPE" || (typeof sent === "object" && sent.status === 413));
  });

  it("answers 503 to too many large bodies at once, and takes them after", async () => {
    const first = deliveries.begin(2 * 1024 * 1024);
    await eventually(async () => {
      const second = deliveries.begin(2 * 1024 * 1024);
      const answered = await Promise.race([second.answer.then(({ status }) => status), first.answer.then(() => 0)]);
      second.end();
      return answered === 503;
    });
    assert.equal((await deliveries.send({ body: opened })).status, 202);
    first.end();
    const padded = `${opened}${" ".repeat(2 * 1024 * 1024)}`;
    await eventually(async () => (await deliveries.send({ body: padded })).status === 202);
  });

  it("counts what it refused, and doctor names the repository that is not configured", async () => {
    const wanted = [
      "deliveries.refused.DeliverySignatureWrong",
      "deliveries.refused.TooLarge",
      "deliveries.refused.Busy",
      "deliveries.ignored",
    ];
    await eventually(async () => {
      const { counters, findings } = await world.instance.client.doctor();
      assert.deepEqual(
        wanted.filter((name) => !counters[name]),
        [],
      );
      return findings.some(({ what }) => what.includes('"acme/other"') && what.includes("not configured"));
    });
  });

  it("answers 202 to a delivery seen before and does not run it again", async () => {
    const headers = { "x-github-delivery": "seen-1" };
    const unseen = finds("shop#1");
    assert.equal((await deliveries.send({ body: opened, headers })).status, 202);
    // Taken up beside others, it may be reached behind them.
    await eventually(() => finds("shop#1") > unseen, { what: "a look at shop#1" });
    await takenUp();
    const before = finds("shop#1");
    assert.equal((await deliveries.send({ body: opened, headers })).status, 202);
    await takenUp();
    assert.equal(finds("shop#1"), before);
    assert.equal(await stored("seen-1"), 1);
  });

  it("runs a delivery whose service died right behind the answer", async () => {
    const { github, instance } = world;
    // The resync would find it too.
    const mend = github.fail({ path: /\/pulls\?/, status: 502 });
    await instance.arm({ step: "find", key: "shop#1", occurrence: 1 });
    const pushed = await github.push(1, { "text.txt": "basket" });
    assert.notEqual(pushed, headSha);
    await instance.died();
    await start();
    await instance.waitFor("shop#1", (p) => p.commit === pushed, "at the pushed commit");
    mend();
  });

  it("answers nothing to a delivery that it could not commit, and runs it when it comes again", async () => {
    const { instance } = world;
    const client = new pg.Client({ connectionString: (await findServer(instance.dataDir, "store")).url });
    await client.connect();
    await client.query("begin; lock table delivery in access exclusive mode");
    const headers = { "x-github-delivery": "again-1" };
    const sent = deliveries.send({ body: opened, headers }).then(
      ({ status }) => status,
      () => undefined,
    );
    await eventually(async () => {
      const { rows } = await client.query("select 1 from pg_locks where not granted");
      return rows.length > 0;
    });
    await instance.kill();
    assert.equal(await sent, undefined);
    await client.query("rollback");
    await client.end();
    assert.equal(await stored("again-1"), 0);
    await start();
    await eventually(() => finds("shop#1") > 0);
    await takenUp();
    const before = finds("shop#1");
    assert.equal((await deliveries.send({ body: opened, headers })).status, 202);
    await eventually(() => finds("shop#1") > before);
    assert.equal(await stored("again-1"), 1);
  });

  it("loses none of 2,000 deliveries when it is killed right behind the last answer", async () => {
    const { github, instance } = world;
    const mend = github.fail({ path: /\/pulls/, status: 404 });
    const sending = Array.from({ length: 2_000 }, (_, index) =>
      deliveries.send({
        body: synchronized(1_000 + (index % 200)),
        headers: { "x-github-delivery": `burst-${index}` },
      }),
    );
    const answers = await Promise.all(sending);
    await instance.kill();
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([202]));
    await start();
    assert.equal(await stored("burst-%"), 2_000);
    const keys = Array.from({ length: 200 }, (_, index) => `shop#${1_000 + index}`);
    await eventually(() => keys.every((key) => finds(key) > 0), { timeoutMs: 60_000, what: "a look at each" });
    mend();
  });
});
