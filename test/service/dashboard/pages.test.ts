import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../../support/browser.ts";
import { aPreview } from "../../support/previews.ts";
import { requires } from "../../support/requires.ts";
import { type AppEdge, startApp } from "../app/app-edge.ts";

const URLS = { web: "http://pr-42-shop.localhost:4000" };
const FORM_TYPE = "application/x-www-form-urlencoded";
const HOSTILE = `</title><script>document.title="owned"</script><img src=x onerror=alert(1)>`;

describe("pages in a browser", requires("browser"), () => {
  let browser: Browser;
  let edge: AppEdge;
  let page: Page;
  let complaints: string[];

  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());
  beforeEach(async () => {
    edge = await startApp();
    page = await browser.newPage();
    complaints = [];
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
  });
  afterEach(async () => {
    await page.context().close();
    await page.close();
    await edge.close();
  });
  const home = () => `http://localhost:${edge.port}`;
  const signIn = () => page.goto(`${home()}/login/${edge.sessions.mint()}`);

  it("is led to from a preview's banner: to the reset, which it asks about, and to a code for phones", async () => {
    const far = { web: "https://pr-42-shop.preview.acme.dev" };
    edge.store.put(aPreview({ urls: far, status: { outputs: { database: "shop_pr_42" } } }));
    await signIn();
    assert.equal(await page.locator("[id^=do-]").count(), 0);
    await page.goto(`${home()}/previews/shop%2342#do-reset-db`);
    const button = page.locator("button:target");
    assert.equal(await button.innerText(), "Reset database");
    await page.getByRole("img", { name: "QR code of its link, for a phone" }).waitFor();
    await button.click();
    await page.getByRole("dialog").getByText("its data is lost").waitFor();
    assert.deepEqual(complaints, []);
  });

  it("shows a stranger names, links and conditions and nothing else", async () => {
    edge.store.put(
      aPreview({
        urls: URLS,
        title: "A secret plan",
        status: {
          condition: "Stalled",
          reason: "BuildFailed",
          message: "building: it broke",
          excerpt: ["secret line"],
        },
      }),
    );
    await page.goto(home());
    const text = await page.locator("body").innerText();
    assert.match(text, /shop#42/);
    assert.match(text, /pr-42-shop/);
    assert.match(text, /build failed/);
    assert.doesNotMatch(text, /secret|it broke|ada/i);
    await page.goto(`${home()}/previews/shop%2342`);
    assert.doesNotMatch(await page.locator("body").innerText(), /secret|it broke/i);
    assert.equal(await page.locator("main form").count(), 0);
    assert.deepEqual(complaints, []);
  });

  it("answers with a page at an address of nothing, and with a line to programs", async () => {
    const to = (accept: string) => edge.ask({ path: "/nothing-here", headers: { accept } });
    const [shown, said] = [await to("text/html,*/*;q=0.8"), await to("*/*")];
    assert.equal(shown.status, 404);
    assert.match(shown.body, /<h1>There is nothing at this address<\/h1>/);
    assert.equal(said.status, 404);
    assert.doesNotMatch(said.body, /</);
  });

  it("signs in by a link that works once", async () => {
    const code = edge.sessions.mint();
    await page.goto(`${home()}/login/${code}`);
    assert.equal(page.url(), `${home()}/`);
    assert.equal(await page.getByRole("button", { name: "Sign out" }).count(), 1);
    const again = await page.goto(`${home()}/login/${code}`);
    assert.equal(again?.status(), 403);
    const [cookie] = await page.context().cookies();
    assert.equal(cookie?.httpOnly, true);
    assert.equal(cookie?.sameSite, "Lax");
    await page.goto(home());
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("Read only").waitFor();
  });

  it("shows hostile text as text", async () => {
    edge.store.put(
      aPreview({
        urls: { web: "javascript:alert(1)" },
        title: HOSTILE,
        status: { condition: "Stalled", reason: "BuildFailed", message: HOSTILE, excerpt: [HOSTILE] },
      }),
    );
    edge.lines.push({ service: "web", text: HOSTILE });
    await signIn();
    for (const path of ["/", "/previews/shop%2342"]) {
      await page.goto(home() + path);
      assert.match(await page.locator("body").innerText(), /<script>/);
      assert.doesNotMatch(await page.title(), /owned/);
      assert.equal(await page.locator("img").count(), 0);
      assert.equal(await page.locator('a[href^="javascript"]').count(), 0);
    }
    await page.locator("#log").getByText("onerror").waitFor();
    assert.deepEqual(complaints, []);
  });

  it("follows a change without being reloaded", async () => {
    edge.store.put(aPreview());
    await signIn();
    await page.getByText("provisioning").waitFor();
    edge.store.put(aPreview({ urls: URLS }));
    await page.getByRole("row", { name: "shop#42" }).getByText("Ready").waitFor();
    edge.store.put(aPreview({ number: 43 }));
    await page.getByRole("row", { name: "shop#43" }).waitFor();
    assert.deepEqual(complaints, []);
  });

  it("shows one preview with its log and history, and acts on it", async () => {
    edge.store.put(aPreview({ urls: URLS, status: { outputs: { database: "shop_pr_42" } } }));
    await edge.store.record({
      key: "shop#42",
      at: "2026-11-21T10:01:00.000Z",
      reason: "Healthy",
      message: "Live at 0123456.",
    });
    edge.lines.push({ service: "web", text: "listening on 4100" });
    await signIn();
    await page.getByRole("link", { name: "shop#42", exact: true }).click();
    await page.locator("#log").getByText("listening on 4100").waitFor();
    await page.locator("#database").getByText("shop_pr_42").waitFor();
    await page.getByText("Live at 0123456.").last().waitFor();
    await page.getByRole("button", { name: "Redeploy" }).click();
    await page.getByRole("status").getByText("shop#42 is built again.").waitFor();
    assert.deepEqual(edge.acts, ["redeploy shop#42 by page"]);
    const takeDown = page.getByRole("main").getByRole("button", { name: "Take down" });
    const dialog = page.getByRole("dialog", { name: "Take down shop#42? The preview and its database are removed." });
    await takeDown.click();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await takeDown.click();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    assert.equal(edge.acts.length, 1);
    await takeDown.click();
    await dialog.getByRole("button", { name: "Take down" }).click();
    await page.getByRole("status").getByText("shop#42 is being removed.").waitFor();
    assert.equal(edge.acts.at(-1), "down shop#42 by page");
    assert.equal(edge.acts.length, 2);
    assert.deepEqual(complaints, []);
  });

  it("shows a deployment's log as text, whatever was printed, and what was left out of it", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    const at = "2026-11-21T10:00:00.000Z";
    const about = { id: "7", key: "shop#42", kind: "up", commit: "a".repeat(40), at, lines: 9 } as const;
    const steps = [{ stage: "build", at, failed: true }] as const;
    edge.deployments.put({ ...about, cause: `New commit ${HOSTILE}`, outcome: "failed", message: HOSTILE, steps }, [
      { n: 1, at, kind: "step", text: "Fetching" },
      { n: 2, at, kind: "output", source: "build", text: HOSTILE },
      { n: 9, at, kind: "problem", text: "it exited with code 3" },
    ]);
    await signIn();
    await page.goto(`${home()}/previews/shop%2342`);
    const log = page.getByRole("log", { name: "Log of the deployment" });
    await log.getByText("it exited with code 3").waitFor();
    assert.equal(await log.getByText(HOSTILE).count(), 1);
    assert.equal(await log.locator("img, script").count(), 0);
    await log.getByText("… 6 lines left out …").waitFor();
    await page.getByRole("list", { name: "Stages" }).getByText("failed, ").waitFor();
    const [text] = await Promise.all([
      page.waitForResponse(/\/deployments\/7\.txt$/),
      page.getByRole("link", { name: "As text" }).click(),
    ]);
    assert.match(text.headers()["content-type"] ?? "", /^text\/plain/);
    assert.match(await text.text(), /\[build\] <\/title>[\s\S]*6 lines left out/);
    assert.deepEqual(complaints, []);
  });

  it("makes a share link and shows it once, to who is logged in", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    await page.goto(`${home()}/previews/shop%2342`);
    assert.equal(await page.getByRole("button", { name: "Share link for 7 days" }).count(), 0);
    await signIn();
    await page.goto(`${home()}/previews/shop%2342`);
    await page.getByRole("button", { name: "Share link for 7 days" }).click();
    await page.getByRole("link", { name: "/.stackling/share/t0k3n" }).waitFor();
    assert.deepEqual(edge.acts, ["share shop#42 604800 /"]);
    const cookie = edge.sessions.redeem(edge.sessions.mint()) ?? "";
    const headers = { "content-type": FORM_TYPE, cookie: `stackling-4000=${cookie}` };
    const forged = await edge.ask({ path: "/previews/shop%2342/share", method: "POST", headers, body: "life=day" });
    assert.equal(forged.status, 403);
    assert.equal(edge.acts.length, 1);
    assert.deepEqual(complaints, []);
  });

  it("refuses an action without the session, without its token, and from another site", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    const cookie = edge.sessions.redeem(edge.sessions.mint()) ?? "";
    const csrf = edge.sessions.find(cookie)?.csrf ?? "";
    const post = (headers: Record<string, string>, body: string) =>
      edge.ask({
        path: "/previews/shop%2342/actions",
        method: "POST",
        body,
        headers: { "content-type": FORM_TYPE, ...headers },
      });
    const signed = { cookie: `stackling-4000=${cookie}` };
    const form = `action=down&confirmed=yes&csrf=${csrf}`;
    assert.equal((await post({}, form)).status, 403);
    assert.equal((await post(signed, "action=down&confirmed=yes")).status, 403);
    assert.equal((await post({ ...signed, origin: "http://pr-42-shop.localhost:4000" }, form)).status, 403);
    assert.equal((await post(signed, `action=constructor&csrf=${csrf}`)).status, 400);
    // Without a script nothing asked yet.
    const asked = await post(signed, `action=down&csrf=${csrf}`);
    assert.match(asked.body, /Take down shop#42\?[\s\S]*name="confirmed" value="yes"/);
    assert.deepEqual(edge.acts, []);
    assert.equal((await post({ ...signed, origin: "http://localhost:4000" }, form)).status, 303);
    assert.deepEqual(edge.acts, ["down shop#42 by page"]);
  });

  it("names strays, and removes only what a person says", async () => {
    const things = [{ kind: "database", id: "shop_pr_7" }];
    edge.strays.push(
      { stack: "shop-pr-7", key: "shop#7", hasStack: true, things, why: HOSTILE, needsConfirmation: true },
      { stack: "shop-pr-8", hasStack: false, things, why: "pull request 8 is closed", needsConfirmation: false },
    );
    await signIn();
    await page.getByRole("button", { name: "Look for strays" }).click();
    await page.getByText("2 found, nothing removed").waitFor();
    await page.getByText("Would be removed").waitFor();
    assert.match(await page.getByRole("listitem").filter({ hasText: "shop#7" }).first().innerText(), /<script>/);
    await page.getByRole("button", { name: "Remove shop#7" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Remove shop#7" }).click();
    const loaded = page.waitForEvent("load");
    await page.getByRole("dialog").getByRole("button", { name: "Remove shop#7" }).click();
    await loaded;
    assert.deepEqual(edge.acts, ['sweep {"dryRun":true}', 'sweep {"dryRun":false,"confirm":["shop-pr-7"]}']);
    assert.deepEqual(complaints, []);
  });

  it("stops nothing and sweeps nothing for who is not logged in, or did not mean to", async () => {
    const cookie = `stackling-4000=${edge.sessions.redeem(edge.sessions.mint()) ?? ""}`;
    const post = (path: string, body: string, headers: Record<string, string> = {}) =>
      edge.ask({ path, method: "POST", body, headers: { "content-type": FORM_TYPE, ...headers } });
    for (const [path, body] of [
      ["/pause", "action=stop-all&confirmed=yes"],
      ["/sweep", "action=look"],
    ] as const) {
      assert.equal((await post(path, body)).status, 403);
      assert.equal((await post(path, body, { cookie })).status, 403);
      assert.equal((await post(path, body, { cookie, origin: "http://pr-42-shop.localhost:4000" })).status, 403);
    }
    const csrf = edge.sessions.find(cookie.slice("stackling-4000=".length))?.csrf ?? "";
    const asked = await post("/pause", `action=stop-all&csrf=${csrf}`, { cookie });
    assert.match(asked.body, /Stop everything\?/);
    assert.equal((await post("/sweep", `action=confirm&stack=&csrf=${csrf}`, { cookie })).status, 400);
    assert.match((await post("/sweep", `action=remove&csrf=${csrf}`, { cookie })).body, /Are you sure\?/);
    assert.doesNotMatch((await edge.ask({ path: "/" })).body, /Everything is stopped/);
    assert.equal((await edge.ask({ path: "/sweep" })).status, 303);
    assert.deepEqual(edge.acts, []);
  });

  it("warns of the end of an idle one, with the day", async () => {
    const goesAt = new Date(Date.now() + 3 * 86_400_000).toISOString();
    const warned = { at: "2026-12-05T10:00:00.000Z", idleSince: "2026-11-21T10:00:00.000Z", goesAt };
    edge.store.put(aPreview({ urls: URLS, status: { warned } }));
    await signIn();
    for (const path of ["/", "/previews/shop%2342"]) {
      await page.goto(home() + path);
      await page.getByText("Nobody has used it since 2026-11-21 10:00 UTC.").waitFor();
      await page.getByText("It is removed in 3 days, unless").waitFor();
    }
  });

  it("keeps focus and open menus when something changes", async () => {
    edge.store.put(aPreview({ urls: URLS }));
    edge.store.put(aPreview({ number: 43, urls: { web: "http://pr-43-shop.localhost:4000" } }));
    await signIn();
    await page.getByRole("link", { name: "Actions on shop#43" }).click();
    const menu = page.getByRole("dialog", { name: "Actions" });
    await menu.getByRole("button", { name: "Redeploy" }).focus();
    await edge.store.setStatus("shop#42", { goneAt: "2026-11-21T11:00:00.000Z", reason: "Gone" });
    await edge.store.setStatus("shop#43", { condition: "Reconciling", reason: "Updating", message: "Building anew." });
    await page.getByText("Building anew.").waitFor();
    await page.locator("#preview-shop-pr-42").waitFor({ state: "detached" });
    assert.equal(await page.evaluate("document.activeElement.value"), "redeploy");
    await page.keyboard.press("Escape");
    await menu.waitFor({ state: "hidden" });
    assert.equal(await page.evaluate("document.activeElement.getAttribute('aria-label')"), "Actions on shop#43");
    await edge.store.setStatus("shop#43", { message: "Nearly there." });
    await page.getByText("Nearly there.").waitFor();
    assert.equal(await page.evaluate("document.activeElement.getAttribute('aria-label')"), "Actions on shop#43");
    assert.deepEqual(complaints, []);
  });

  it("stays on the list from which something was asked for", async () => {
    const gone = { goneAt: "2026-11-21T11:00:00.000Z", reason: "Gone", goneReason: "Expired" };
    edge.store.put(aPreview({ status: gone }));
    await signIn();
    await page.getByRole("link", { name: "Gone ones" }).click();
    await page.getByRole("link", { name: "Actions on shop#42" }).click();
    await page.getByRole("button", { name: "Rebuild" }).click();
    await page.getByRole("status").getByText("shop#42 is made anew.").waitFor();
    await page.getByRole("heading", { name: "Gone previews" }).waitFor();
    assert.equal(await page.getByRole("heading", { name: "Previews", exact: true }).count(), 0);
    assert.deepEqual(edge.acts, ["redeploy shop#42 by page"]);
  });

  it("searches as one types and without a script, sorts, and keeps that in the address and over a change", async () => {
    edge.store.put(aPreview({ number: 1, title: "Show the cart total" }));
    edge.store.put(aPreview({ number: 2, title: "Let people pay by invoice" }));
    edge.store.put(aPreview({ number: 3, title: "Pay by card" }));
    await signIn();
    await page.getByLabel("Search").fill("pay by");
    await page.waitForURL(/\/\?q=pay%20by$/);
    const keys = () => page.locator("tbody th > a").allInnerTexts();
    await page.getByText("2 previews of 3").waitFor();
    await page.getByRole("link", { name: "Pull request" }).click();
    await page.waitForURL(`${home()}/?q=pay+by&sort=pull`);
    await page.getByRole("link", { name: "Pull request" }).click();
    await page.waitForURL(`${home()}/?q=pay+by&sort=-pull`);
    await page.locator('[aria-sort="descending"]').waitFor();
    assert.deepEqual(await keys(), ["shop#3", "shop#2"]);
    edge.store.put(aPreview({ number: 3, title: "Pay by card", status: { message: "Nearly there." } }));
    await page.getByText("Nearly there.").waitFor();
    await page.getByRole("link", { name: "Actions on shop#2" }).click();
    await page.getByRole("button", { name: "Redeploy" }).click();
    await page.getByRole("status").getByText("shop#2 is built again.").waitFor();
    assert.equal(page.url(), `${home()}/?q=pay+by&sort=-pull`);
    assert.deepEqual(await keys(), ["shop#3", "shop#2"]);
    const plain = await browser.newContext({ javaScriptEnabled: false });
    const other = await plain.newPage();
    await other.goto(`${home()}/login/${edge.sessions.mint()}`);
    await other.getByLabel("Search").fill("CARD");
    await other.getByRole("button", { name: "Show" }).click();
    assert.deepEqual(await other.locator("tbody th > a").allInnerTexts(), ["shop#3"]);
    await other.getByRole("link", { name: "Actions on shop#3" }).click();
    await other.getByRole("button", { name: "Redeploy" }).click();
    await other.getByText("shop#3 is built again.").waitFor();
    await plain.close();
    assert.deepEqual(complaints, []);
  });

  it("asks once for many that change at once, and not at all while nobody looks", async () => {
    for (let number = 1; number <= 60; number += 1) edge.store.put(aPreview({ number, urls: URLS }));
    await signIn();
    const asked: string[] = [];
    page.on("request", (request) => void asked.push(new URL(request.url()).pathname));
    const change = (message: string) => {
      for (let number = 1; number <= 60; number += 1) {
        void edge.store.setStatus(`shop#${number}`, { condition: "Reconciling", reason: "Updating", message });
      }
    };
    change("Building anew.");
    await page.locator("tbody").getByText("Building anew.").nth(59).waitFor();
    assert.ok(asked.length <= 3, asked.join(" "));
    // As a browser does with a page that is behind another one.
    const look = (state: "hidden" | "visible") =>
      page.evaluate(`Object.defineProperty(document, "visibilityState", { value: "${state}", configurable: true });
        Object.defineProperty(document, "hidden", { value: ${state === "hidden"}, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"))`);
    await look("hidden");
    asked.length = 0;
    change("Building once more.");
    await edge.ask({ path: "/healthz" });
    assert.deepEqual(asked, []);
    await look("visible");
    await page.locator("tbody").getByText("Building once more.").nth(59).waitFor();
    assert.deepEqual(complaints, []);
  });

  it("does not take a yes to one commit for one to the next, which came while it asked", async () => {
    const [seen, pushed] = ["a".repeat(40), "b".repeat(40)];
    const waiting = (headSha: string) =>
      aPreview({ status: { condition: "Stalled", reason: "ApprovalNeeded", message: "Nothing of it runs.", headSha } });
    edge.store.put(waiting(seen));
    await signIn();
    await page.getByRole("link", { name: "shop#42", exact: true }).click();
    await page.getByRole("button", { name: "Approve this commit" }).click();
    const dialog = page.getByRole("dialog", { name: /^Approve commit aaaaaaaaaaaa/ });
    await dialog.waitFor();
    edge.store.put(waiting(pushed));
    await page.locator(`input[name=sha][value="${pushed}"]`).waitFor({ state: "attached" });
    await dialog.getByRole("button", { name: "Approve this commit" }).click();
    await page.getByRole("status").getByText("has changed meanwhile").waitFor();
    assert.deepEqual(edge.acts, []);
  });

  it("goes on after a request that did not come through", async () => {
    edge.store.put(aPreview());
    await signIn();
    let lost = 0;
    await page.route("**/*", async (route) => {
      const isLost = lost === 0 && route.request().resourceType() === "xhr";
      if (isLost) lost += 1;
      await (isLost ? route.abort("internetdisconnected") : route.continue());
    });
    edge.store.put(aPreview({ urls: URLS }));
    await page.getByRole("row", { name: "shop#42" }).getByText("Ready").waitFor();
    assert.equal(lost, 1);
  });

  it("says when it is not live, and takes up again what changed meanwhile", async () => {
    edge.store.put(aPreview());
    await signIn();
    const sign = page.locator("#connection");
    await page.context().setOffline(true);
    await page.evaluate("htmx.trigger(document.querySelector('#stream'), 'htmx:sseError')");
    await sign.getByText("Not live").waitFor();
    edge.store.put(aPreview({ urls: URLS }));
    await page.context().setOffline(false);
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await page.getByRole("row", { name: "shop#42" }).getByText("Ready").waitFor();
    await sign.getByText("Not live").waitFor({ state: "detached" });
  });

  it("is light or dark as a person says, with nothing of it to be seen before", async () => {
    await signIn();
    const ground = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
    const light = await ground();
    await page.getByRole("button", { name: "Appearance: automatic. Change to light" }).click();
    await page.getByRole("button", { name: "Appearance: light. Change to dark" }).click();
    await page.getByRole("button", { name: "Appearance: dark. Change to automatic" }).waitFor();
    assert.notEqual(await ground(), light);
    assert.equal(await page.locator("html").getAttribute("data-appearance"), "dark");
    const posted = await edge.ask({
      path: "/appearance",
      method: "POST",
      headers: { "content-type": FORM_TYPE },
      body: "appearance=dark&back=//evil.example/x",
    });
    assert.equal(posted.headers.location, "/");
  });

  it("gives its files an address of their own for each version, to be kept for good", async () => {
    const { body } = await edge.ask({ path: "/" });
    const files = [...body.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? "");
    assert.ok(files.some((path) => path.endsWith("/vendor/htmx.js")));
    for (const path of files) {
      const { status, headers } = await edge.ask({ path });
      assert.deepEqual([status, headers["cache-control"]], [200, "public, max-age=31536000, immutable"], path);
    }
    const older = await edge.ask({ path: "/assets/0123456789abcdef/page.js" });
    assert.deepEqual([older.status, older.headers["cache-control"]], [200, "no-cache"]);
    assert.equal((await edge.ask({ path: "/assets/x/vendor/..%2fpage.js" })).status, 404);
  });

  it("fits a narrow window", async () => {
    edge.store.put(
      aPreview({ urls: { web: `http://${"pr-42-".repeat(10)}shop.localhost:4000` }, title: "x".repeat(200) }),
    );
    const [stack, things] = ["x".repeat(80), [{ kind: "database", id: "y".repeat(200) }]];
    edge.strays.push({ stack, hasStack: true, things, why: "z".repeat(90), needsConfirmation: true });
    await signIn();
    await edge.api({
      path: "/pause",
      method: "POST",
      body: '{"paused":true}',
      headers: { "content-type": "application/json" },
    });
    await page.setViewportSize({ width: 340, height: 700 });
    for (const path of ["/", "/previews/shop%2342", "/sweep"]) {
      await page.goto(home() + path);
      await page.evaluate("for (const menu of document.querySelectorAll('details')) menu.open = true");
      assert.ok(await fits(), path);
    }
    await page.getByRole("button", { name: "Look for strays" }).click();
    await page.getByText("Needs your word").waitFor();
    assert.ok(await fits(), "the report of a sweep");
    await page.getByRole("button", { name: `Remove ${stack}` }).click();
    await page.getByRole("dialog").waitFor();
    assert.ok(await fits(), "a question");
  });
  const fits = () => page.evaluate("document.documentElement.scrollWidth <= innerWidth");

  it("cuts no row's actions off, however wide the window is", async () => {
    const urls = {
      web: `http://${"pr-42-".repeat(6)}shop.localhost:4000`,
      api: "http://a.localhost",
      admin: "http://b.localhost",
    };
    const status = { condition: "Stalled", reason: "HealthCheckFailed", message: "It does not answer." } as const;
    edge.store.put(aPreview({ urls, status, title: "Say what one cup costs, and what two do" }));
    await signIn();
    for (const width of [720, 980, 1024, 1200, 1279, 1280]) {
      await page.setViewportSize({ width, height: 700 });
      await page.goto(home());
      const over = await page.evaluate(
        "(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.list'))",
      );
      assert.equal(over, 0, `${width} pixels`);
    }
  });
});
