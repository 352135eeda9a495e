import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { cp, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { withClient } from "../../components/local/database-client.ts";
import { inboxFolder } from "../../components/local/emulators.ts";
import { createLoginKeys } from "../../service/login-keys.ts";
import { eventually } from "../support/eventually.ts";
import { startInbox } from "../support/inbox.ts";
import { testDatabase } from "../support/postgres.ts";

const project = fileURLToPath(new URL("../../", import.meta.url));
const shop = join(project, "examples/shop");

interface ShopStatus {
  readonly service: string;
  readonly database: string;
  readonly products: number;
  readonly orders: number;
}

/** Whatever a token says, it is signed. */
function unsignedFor(user: string, audience: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) + 60;
  return `${part({ alg: "none" })}.${part({ iss: "stackling", aud: audience, sub: user, jti: "x", exp })}.`;
}

interface Mail {
  readonly id: string;
  readonly to: readonly string[];
  readonly html: string;
}

const statusOf = async (host: string) => (await (await fetch(`${host}/api/v1/status`)).json()) as ShopStatus;

describe("the example shop", () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  const running: ChildProcess[] = [];
  let web = "";
  let api = "";

  const environment = (): NodeJS.ProcessEnv => ({
    PATH: process.env.PATH,
    DATABASE_URL: database.url,
    PORT: "0",
    PACKING_MS: "1",
    STACKLING_KEY: "shop#7",
    STACKLING_COMMIT: "0123456789abcdef",
  });
  const start = async (script: string, ready: RegExp, extra: NodeJS.ProcessEnv = {}) => {
    const child = spawn(process.execPath, [script], { cwd: shop, env: { ...environment(), ...extra } });
    running.push(child);
    for await (const line of createInterface({ input: child.stdout })) {
      const match = ready.exec(line);
      if (match) {
        child.stdout.resume();
        return match[1] ?? "";
      }
    }
    throw new Error(`${script} ended before it was ready`);
  };
  const run = (script: string, cwd = shop) => execa(process.execPath, [script], { cwd, env: environment() });
  const submit = (path: string, fields: Record<string, string>, cookie = "") =>
    fetch(`${web}${path}`, {
      method: "POST",
      redirect: "manual",
      headers: { cookie },
      body: new URLSearchParams(fields),
    });

  before(async () => {
    database = await testDatabase();
    await run("migrate.mjs");
    await run("seed.mjs");
    web = `http://127.0.0.1:${await start("web.mjs", /port (\d+)/, { API_URL: "http://api.invalid" })}`;
    api = `http://127.0.0.1:${await start("api.mjs", /port (\d+)/, { SHOP_URL: web })}`;
    await start("worker.mjs", /waiting/);
  });

  after(async () => {
    const ended = running.map((child) => (child.exitCode === null ? once(child, "exit") : undefined));
    for (const child of running) child.kill("SIGTERM");
    await Promise.all(ended);
    await database.drop();
  });

  it("shows its products, its preview and its commit", async () => {
    const page = await (await fetch(web)).text();
    assert.match(page, /Morning Assam/);
    assert.match(page, /preview <b>shop#7<\/b> · commit <b>0123456<\/b>/);
  });

  it("names its database in the status of both hosts", async () => {
    const name = new URL(database.url).pathname.slice(1);
    for (const [host, service] of [
      [web, "web"],
      [api, "api"],
    ] as const) {
      const status = await statusOf(host);
      assert.equal(status.database, name);
      assert.equal(status.service, service);
      assert.equal(status.products, 6);
    }
  });

  it("is healthy on both hosts", async () => {
    for (const host of [web, api]) assert.equal((await fetch(`${host}/health`)).status, 200);
  });

  it("stores an order at checkout, and the worker packs it", async () => {
    const added = await submit("/cart/add", { product: "jasmine-pearls" });
    const cookie = (added.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    const placed = await submit("/orders", { customer: "<b>Ada</b>" }, cookie);
    const location = placed.headers.get("location") ?? "";
    assert.match(location, /^\/orders\/[0-9a-f-]{36}$/);
    assert.match(await (await fetch(`${web}${location}`)).text(), /Thank you, &lt;b&gt;Ada&lt;\/b&gt;/);
    await eventually(
      async () => {
        const response = await fetch(`${api}/api/v1${location}`);
        assert.equal(response.headers.get("access-control-allow-origin"), web);
        return ((await response.json()) as { status: string }).status === "packed";
      },
      { what: "the packed order" },
    );
  });

  describe("in a preview", () => {
    const stack = "shop-pr-7";
    let preview = "";
    const keys = (secret = "t0k3n", now = () => new Date()) => createLoginKeys({ now, secret });
    const tokenFor = (user: string, { by = keys(), audience = OWN_URL, id = randomUUID() as string } = {}) =>
      by.sign(stack, { user, audience, id });
    const enter = (token: string) =>
      fetch(`${preview}/stackling-login?${new URLSearchParams({ token })}`, { redirect: "manual" });
    const sessionOf = (answer: Response) => (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    const OWN_URL = "http://pr-7-shop.localhost:4000";

    before(async () => {
      const given = { STACKLING_LOGIN_KEY: keys().publicOf(stack), STACKLING_URL: OWN_URL };
      preview = `http://127.0.0.1:${await start("web.mjs", /port (\d+)/, given)}`;
    });

    it("knows whom Stackling logs in, and keeps that user's orders to them", async () => {
      const answer = await enter(await tokenFor("ada"));
      assert.equal(answer.status, 303);
      assert.match(answer.headers.get("set-cookie") ?? "", /; HttpOnly; SameSite=Lax$/);
      const session = sessionOf(answer);
      const page = async (path: string, cookie: string) => fetch(`${preview}${path}`, { headers: { cookie } });
      assert.match(await (await page("/", session)).text(), /Logged in as <b>ada<\/b>/);
      const added = await submit("/cart/add", { product: "jasmine-pearls" }, session);
      const cart = (added.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
      const placed = await submit("/orders", { customer: "Ada" }, `${session}; ${cart}`);
      const order = placed.headers.get("location") ?? "";
      assert.equal((await page(order, session)).status, 200);
      const other = sessionOf(await enter(await tokenFor("grace")));
      for (const cookie of ["", other, session.slice(0, -1)]) assert.equal((await page(order, cookie)).status, 404);
      await fetch(`${preview}/logout`, { method: "POST", redirect: "manual", headers: { cookie: session } });
      assert.doesNotMatch(await (await page("/", session)).text(), /Logged in/);
    });

    it("takes a token once", async () => {
      const token = await tokenFor("ada");
      assert.deepEqual([(await enter(token)).status, (await enter(token)).status], [303, 403]);
    });

    it("takes no token of another key, preview or time, nor one of nobody", async () => {
      const old = new Date(Date.now() - 120_000);
      for (const token of [
        await tokenFor("ada", { by: keys("another") }),
        await tokenFor("ada", { audience: "http://pr-8-shop.localhost:4000" }),
        await tokenFor("ada", { by: keys("t0k3n", () => old) }),
        await tokenFor("mallory"),
        unsignedFor("ada", OWN_URL),
        "",
      ]) {
        const answer = await enter(token);
        assert.equal(answer.status, 403);
        assert.equal(answer.headers.get("set-cookie"), null);
      }
    });
  });

  it("has no such login anywhere else", async () => {
    assert.equal((await fetch(`${web}/stackling-login?token=x`)).status, 404);
  });

  it("confirms an order by mail where it is told how mails are sent, and takes it where they are not taken", async () => {
    const dataDir = await realpath(await mkdtemp(join(tmpdir(), "stackling-shop-mail-")));
    const inbox = await startInbox(await inboxFolder(dataDir), { kind: "smtp", home: join(dataDir, "home") });
    try {
      const smtp = { SMTP_URL: `smtp://127.0.0.1:${inbox.smtp.port}`, STACKLING_URL: "https://shop.example" };
      const mailing = `http://127.0.0.1:${await start("web.mjs", /port (\d+)/, smtp)}`;
      const order = async (fields: Record<string, string>) => {
        const added = await submit("/cart/add", { product: "jasmine-pearls" });
        const cookie = (added.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
        const sent = {
          method: "POST",
          redirect: "manual",
          headers: { cookie },
          body: new URLSearchParams(fields),
        } as const;
        return (await fetch(`${mailing}/orders`, sent)).headers.get("location") ?? "";
      };
      const location = await order({ customer: "<i>Ada</i>", email: "ada@example.com, eve@example.com" });
      assert.match(location, /^\/orders\//);
      const second = await order({ customer: "<i>Ada</i>", email: "ada@example.com" });
      const { messages } = (await (await fetch(`${inbox.url}/inbox/messages?wait=50`)).json()) as { messages: Mail[] };
      assert.deepEqual(
        messages.map(({ to }) => to),
        [["ada@example.com"]],
      );
      const mail = (await (await fetch(`${inbox.url}/inbox/messages/${messages[0]?.id}`)).json()) as Mail;
      assert.match(mail.html, /Thank you, &lt;i&gt;Ada/);
      assert.ok(mail.html.includes(`https://shop.example${second}`));
      await inbox.end();
      assert.match(await order({ customer: "Bob", email: "bob@example.com" }), /^\/orders\//);
    } finally {
      await inbox.end();
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  it("makes no order of an empty cart", async () => {
    const placed = await submit("/orders", { customer: "Ada" });
    assert.equal(placed.headers.get("location"), "/cart");
  });

  it("keeps data when migrations and seed run again", async () => {
    const before = await statusOf(web);
    await run("migrate.mjs");
    await run("seed.mjs");
    assert.deepEqual(await statusOf(web), before);
  });

  it("is seeded with each of its scenarios, and never twice", async () => {
    for (const [scenario, products, orders] of [
      ["empty", 0, 0],
      ["demo", 6, 0],
      ["busy-day", 6, 40],
      ["edge-cases", 8, 3],
    ] as const) {
      const own = await testDatabase();
      try {
        const env = { ...environment(), DATABASE_URL: own.url, SEED_SCENARIO: scenario };
        const script = (name: string) => execa(process.execPath, [name], { cwd: shop, env });
        await script("migrate.mjs");
        await script("seed.mjs");
        await script("seed.mjs");
        const { rows } = await withClient(own.url, (client) =>
          client.query(
            `SELECT (SELECT count(*)::int FROM products) AS products, (SELECT count(*)::int FROM orders) AS orders`,
          ),
        );
        assert.deepEqual(rows, [{ products, orders }], scenario);
      } finally {
        await own.drop();
      }
    }
  });

  it("names those that there are where a scenario is none", async () => {
    const env = { ...environment(), SEED_SCENARIO: "emtpy" };
    const seeding = execa(process.execPath, ["seed.mjs"], { cwd: shop, env });
    await assert.rejects(seeding, /SEED_SCENARIO is "emtpy", which is none of empty, demo, busy-day, edge-cases/);
  });

  it("names the file when a migration fails, and applies none of it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "stackling-shop-"));
    try {
      await cp(shop, folder, { recursive: true });
      await symlink(join(project, "node_modules"), join(folder, "node_modules"));
      await writeFile(join(folder, "migrations/900-broken.sql"), "CREATE TABLE half (); SELECT nonsense;");
      const { stderr } = await run("migrate.mjs", folder).then(
        () => assert.fail("the migration succeeded"),
        (error: { stderr: string }) => error,
      );
      assert.match(stderr, /migration 900-broken\.sql failed/);
      await rm(join(folder, "migrations/900-broken.sql"));
      await run("migrate.mjs", folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
