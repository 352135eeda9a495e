/** Streams of the pages: who may hear of what, for how long, and what a page says once it may not. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { after, afterEach, before, beforeEach, describe, it, mock } from "node:test";
import type { Browser, Page } from "playwright-core";
import { StacklingError } from "../../../components/errors.ts";
import { createPageLogin } from "../../../service/login/login.ts";
import type { Rights } from "../../../service/roles.ts";
import { launchBrowser } from "../../support/browser.ts";
import { eventually } from "../../support/eventually.ts";
import { memoryDeployments } from "../../support/memory-deployments.ts";
import { aPreview, COMMIT } from "../../support/previews.ts";
import { requires } from "../../support/requires.ts";
import { type AppEdge, startApp, TOKEN } from "../app/app-edge.ts";

/** Longer than a stream goes on without a look at the right to it. */
const LOOK_MS = 30_000;
const URLS = { web: "http://pr-42-shop.localhost:4000" };
const AT = "2026-11-21T10:00:00.000Z";

describe("the stream of a page", () => {
  let edge: AppEdge;
  let rights: Rights | undefined;
  let opened: IncomingMessage[];
  beforeEach(async () => {
    rights = { role: "viewer", repositories: ["shop"] };
    opened = [];
    edge = await startApp({ rightsOf: async () => rights });
    edge.store.put(aPreview({}));
  });
  afterEach(async () => {
    for (const answer of opened) answer.destroy();
    await edge.close();
    // After all that was begun under it has ended.
    mock.timers.reset();
  });

  async function open(cookie?: string): Promise<IncomingMessage> {
    const headers = { host: "localhost:4000", ...(cookie === undefined ? {} : { cookie }) };
    const request = httpRequest({ port: edge.port, host: "127.0.0.1", path: "/live", agent: false, headers }).end();
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    opened.push(answer.on("error", () => {}));
    return answer.resume();
  }
  const cookie = () => `stackling-4000=${edge.sessions.open(personOf("test"))}`;

  it("ends soon after somebody's rights are for other repositories, or are taken", async () => {
    mock.timers.enable({ apis: ["setInterval"] });
    const stranger = await open();
    for (const later of [{ role: "viewer", repositories: ["till"] }, undefined] as const) {
      const theirs = await open(cookie());
      mock.timers.tick(LOOK_MS);
      // Behind that look.
      await edge.ask({ path: "/healthz" });
      assert.equal(theirs.destroyed, false, "while they hold");
      rights = later;
      mock.timers.tick(LOOK_MS);
      await eventually(() => theirs.destroyed, { what: "its end" });
    }
    assert.equal(stranger.destroyed, false, "of whom nothing was taken");
  });

  it("opens for who is logged in however many strangers hold one, who are told when to come again", async () => {
    const strangers = await Promise.all(Array.from({ length: 256 }, () => open()));
    assert.ok(strangers.every(({ statusCode }) => statusCode === 200));
    const refused = await open();
    assert.deepEqual([refused.statusCode, refused.headers["retry-after"]], [503, "5"]);
    assert.equal((await open(cookie())).statusCode, 200);
    assert.deepEqual(edge.errors, [], "nothing that strangers could fill a log with");
  });
});

describe("a page that stays open", requires("browser"), () => {
  let browser: Browser;
  let page: Page;
  let edge: AppEdge;
  let rights: Rights | undefined;
  /** What the page asked for. */
  let asked: string[];

  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser?.close());
  afterEach(async () => {
    await page.context().close();
    await edge.close();
    mock.timers.reset();
  });

  async function start(more: Parameters<typeof startApp>[0] = {}) {
    rights = { role: "viewer" };
    const client = { clientId: "stackling", clientSecret: { env: "CLIENT_SECRET" } } as const;
    const forges = [{ name: "hub", kind: "github" as const, options: { baseUrl: "http://127.0.0.1:9" } }];
    const login = await createPageLogin({
      config: {
        dashboard: { login: { kind: "forge", forge: "hub", ...client, scope: "repo" }, roles: {} },
        forges,
        repositories: [],
        scheme: "http",
        domain: "localhost:4000",
      },
      forge: () => undefined,
      token: TOKEN,
      now: () => new Date(),
      onError: () => {},
      environment: { CLIENT_SECRET: "s3cret" },
    });
    assert.ok(login);
    edge = await startApp({ login, rightsOf: async () => rights, ...more });
    edge.store.put(aPreview({ urls: URLS }));
    page = await browser.newPage();
    asked = [];
    const url = `http://localhost:${edge.port}`;
    await page
      .context()
      .addCookies([{ name: "stackling-4000", value: edge.sessions.open(personOf("hub")) ?? "", url }]);
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    return url;
  }
  const sign = () => page.locator("#connection");

  it("says that they are signed out once their rights are over, asks for no more, and goes on where they are again", async () => {
    const url = await start();
    const live = page.waitForResponse(/\/live\?/);
    await page.goto(url);
    await live;
    rights = undefined;
    edge.store.put(aPreview({ number: 43, urls: URLS }));
    await sign().getByText("Signed out").waitFor();
    assert.ok(!asked.includes("/login/start"), "no login that nobody sees");
    const before = asked.length;
    edge.store.put(aPreview({ number: 44, urls: URLS }));
    await page.evaluate("new Promise((resolve) => requestIdleCallback(resolve))");
    assert.deepEqual(asked.slice(before), []);
    rights = { role: "viewer" };
    await sign().getByRole("link", { name: "Reload" }).click();
    await page.getByRole("row", { name: "shop#44" }).waitFor();
    await sign().getByText("Signed out").waitFor({ state: "detached" });
  });

  it("says so also where nothing changes meanwhile", async () => {
    mock.timers.enable({ apis: ["setInterval"] });
    const url = await start();
    const live = page.waitForResponse(/\/live\?/);
    await page.goto(url);
    await live;
    rights = undefined;
    mock.timers.tick(LOOK_MS);
    await sign().getByText("Signed out").waitFor();
  });

  it("goes on with a deployment's log after the store was away, and says when it may not any more", async () => {
    const away = new StacklingError({
      reason: "StoreUnavailable",
      userMessage: "asking the store: it does not answer",
    });
    const deployments = memoryDeployments();
    deployments.put({
      id: "7",
      key: "shop#42",
      kind: "up",
      commit: COMMIT,
      cause: "A push",
      at: AT,
      outcome: "running",
      steps: [],
      lines: 2,
    });
    const afters: number[] = [];
    const url = await start({
      deployments: {
        ...deployments,
        async *lines(_key, _id, { after }) {
          afters.push(after);
          yield { n: after + 1, at: AT, kind: "step", text: `line ${after + 1}` };
          if (afters.length === 2) rights = undefined;
          throw away;
        },
      },
    });
    await page.goto(`${url}/previews/shop%2342`);
    const log = page.getByRole("log", { name: "Log of the deployment" });
    await log.getByText("line 1").waitFor();
    await log.getByText("line 2").waitFor();
    assert.deepEqual(afters, [0, 1]);
    await log.getByText("You are signed out: reload the page.").waitFor();
  });
});

function personOf(provider: string) {
  return { provider, name: "@ada", at: new Date().toISOString(), ids: [] };
}
