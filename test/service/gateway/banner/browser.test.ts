/** The banner as people meet it: in a real browser, on pages that would rather be alone. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import type { Preview } from "../../../../service/status.ts";
import { launchBrowser } from "../../../support/browser.ts";
import { eventually } from "../../../support/eventually.ts";
import { aPreview } from "../../../support/previews.ts";
import { requires } from "../../../support/requires.ts";
import { type Edge, startEdge, startUpstream, URLS } from "../edge.ts";

const HOSTILE = `</script><img src=x onerror="document.title='broken in'"> & <b>cart</b>`;
const RUDE = `* { display: block !important; color: red !important; font-size: 40px !important; visibility: hidden }
section, button { position: static !important; background: lime !important }`;
const NEWER = "fedcba9876543210fedcba9876543210fedcba98";

describe("the banner in a browser", requires("browser"), () => {
  let browser: Browser;
  let page: Page;
  let edge: Edge;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  let answer: (response: ServerResponse, path: string) => void;
  let complaints: string[];

  before(async () => {
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
  });
  beforeEach(async () => {
    complaints = [];
    upstream = await startUpstream((request, response) => {
      response.setHeader("Content-Type", "text/html; charset=utf-8");
      answer(response, request.url ?? "/");
    });
    edge = await startEdge({ banner: {} });
    edge.addresses.set("shop-pr-42/web", upstream.address);
    edge.store.put(thePreview());
    page = await browser.newPage();
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  });
  afterEach(async () => {
    await page.close();
    await edge.close();
    await upstream.close();
  });

  const open = (path = "/") => page.goto(`http://pr-42-shop.localhost:${edge.port}${path}`);
  /** What a screen reader finds, across the closed shadow root. */
  async function told(): Promise<readonly string[]> {
    const session = await page.context().newCDPSession(page);
    const { nodes } = await session.send("Accessibility.getFullAXTree");
    await session.detach();
    return nodes
      .filter(({ ignored }) => !ignored)
      .map(({ role, name, properties = [] }) => {
        const states = properties.filter(({ name: one }) => one === "expanded" || one === "focused");
        return [role?.value, name?.value, ...states.map((one) => `${one.name}=${one.value.value}`)].join(" ");
      });
  }
  const tells = (pattern: RegExp) =>
    eventually(async () => (await told()).some((line) => pattern.test(line)), { what: String(pattern) });
  const isShown = () => page.evaluate(`!!document.querySelector("stackling-banner")?.getBoundingClientRect().width`);

  it("shows under the strictest policy and trusted types, and the browser has nothing to complain of", async () => {
    answer = (response) => {
      response.setHeader("Content-Security-Policy", [
        "default-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'",
        "script-src 'strict-dynamic' 'nonce-own'; style-src 'nonce-own'",
      ]);
      response.end(
        `<!doctype html><html><head><meta http-equiv=content-security-policy content="default-src 'none'"><title>Shop</title></head><body>Hi</body></html>`,
      );
    };
    await open();
    await tells(/^region Preview, not production$/);
    await tells(/^button Preview – not production #42 .*cart.* 0123456 expanded=false$/);
    assert.equal(await isShown(), true);
    assert.deepEqual(complaints, []);
  });

  it("is closed to the page's scripts and leaves nothing lying about", async () => {
    answer = (response) => response.end("<!doctype html><title>Shop</title><body>Hi");
    await open();
    await tells(/^region/);
    assert.equal(await page.evaluate(`document.querySelector("stackling-banner").shadowRoot`), null);
    assert.equal(await page.evaluate(`document.documentElement.outerHTML.includes("/.stackling/")`), false);
    assert.equal(await page.evaluate("localStorage.length + sessionStorage.length"), 0);
    assert.equal(await page.title(), "Shop");
  });

  it("keeps its looks on a page that styles everything, and changes none of the page's", async () => {
    answer = (response) => response.end(`<!doctype html><head><style>${RUDE}</style></head><body>Hi`);
    await open();
    await tells(/^button Preview/);
    const looks = await page.evaluate(`(() => {
      const { position, visibility, color } = getComputedStyle(document.querySelector("stackling-banner"));
      const { height } = document.querySelector("stackling-banner").getBoundingClientRect();
      return { position, visibility, isSmall: height < 60, body: getComputedStyle(document.body).color, isRed: color === "rgb(255, 0, 0)" };
    })()`);
    assert.deepEqual(looks, {
      position: "fixed",
      visibility: "visible",
      isSmall: true,
      body: "rgb(255, 0, 0)",
      isRed: false,
    });
  });

  it("opens, closes and folds by keys alone, remembers it, and keeps its keys to itself", async () => {
    answer = (response) =>
      response.end(`<!doctype html><body>Hi<script>onkeydown = (event) => { document.title += event.key }</script>`);
    await open();
    await tells(/^button Preview/);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await tells(/^button Preview.* expanded=true/);
    for (const name of ["Pull request", "Logs", "Status", "Reset database", "Ada", "0123456"]) {
      await tells(new RegExp(`^link ${name}`));
    }
    await page.keyboard.press("Escape");
    await tells(/^button Preview.*expanded=false/);
    await tells(/^button Preview.*focused=true/);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await tells(/^button Show the banner of preview #42/);
    assert.equal((await told()).join("\n").includes("not production #42"), false);
    assert.equal(await page.title(), "Tab");
    await page.reload();
    await tells(/^button Show the banner of preview #42/);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await tells(/^button Preview – not production #42/);
    await page.reload();
    await tells(/^button Preview – not production #42/);
  });

  it("shows what pull requests say as text, never as markup", async () => {
    answer = (response) => response.end("<!doctype html><title>Shop</title>");
    edge.store.put(thePreview({ title: HOSTILE }, 2));
    await open();
    await eventually(async () => (await told()).some((line) => line.includes(HOSTILE)));
    assert.equal(await page.title(), "Shop");
    assert.equal((await told()).filter((line) => /^(image|img)/.test(line)).length, 0);
    assert.deepEqual(complaints, []);
  });

  it("is on no frame within a page and in nothing that scripts fetch", async () => {
    answer = (response, path) =>
      response.end(path === "/" ? "<!doctype html><iframe src=/inner></iframe>" : "<p>inner");
    await open();
    await tells(/^region/);
    const [, inner] = page.frames();
    assert.equal(await inner?.evaluate(`document.documentElement.innerHTML.includes("stackling")`), false);
    assert.equal(await page.evaluate(`fetch("/").then((r) => r.text()).then((t) => t.includes("stackling"))`), false);
  });

  it("says when another version serves, and what became of a newer commit", async () => {
    answer = (response) => response.end("<!doctype html><p>Hi");
    await open();
    await tells(/^button Preview/);
    const look = () => page.evaluate(`document.dispatchEvent(new Event("visibilitychange"))`);
    edge.store.put(thePreview({ condition: "Reconciling", reason: "Updating", headSha: NEWER }, 2));
    await eventually(async () => {
      await look();
      return (await told()).some((line) => line.includes("Commit fedcba9 is newer and is being built."));
    });
    edge.store.put(thePreview({ commit: NEWER, headSha: NEWER }, 3));
    await eventually(async () => {
      await look();
      return (await told()).some((line) => line.includes("Version fedcba9 serves now; this page is of 0123456."));
    });
  });

  it("comes back when a page throws everything out, and is not printed", async () => {
    answer = (response) => response.end("<!doctype html><p>Hi");
    await open();
    await tells(/^region/);
    await page.evaluate("document.documentElement.replaceChildren(document.head, document.body)");
    await tells(/^region/);
    await page.emulateMedia({ media: "print" });
    await eventually(async () => !(await isShown()));
  });

  it("stays away from a page of frames, and from one whose sandbox runs no scripts", async () => {
    answer = (response, path) => {
      if (path === "/") response.end("<!doctype html><head></head><frameset cols=*><frame src=/a></frameset>");
      else response.end("<p>frame");
    };
    await open();
    await page.frames()[1]?.waitForLoadState();
    assert.equal(await page.evaluate("document.body.localName"), "frameset");
    assert.equal(await isShown(), false);
    answer = (response) => {
      response.setHeader("Content-Security-Policy", "sandbox");
      response.end("<!doctype html><p>Hi");
    };
    await open("/b");
    assert.equal(
      (await told()).some((line) => line.startsWith("region")),
      false,
    );
  });
});

/** A preview with everything that the banner can show. */
function thePreview(
  wish: { title?: string; commit?: string; headSha?: string; condition?: "Reconciling"; reason?: string } = {},
  revision = 1,
): Preview {
  const preview = aPreview({ urls: URLS, title: wish.title ?? "Show the cart total" });
  const { status, pullRequest } = preview;
  const { condition = status.condition, reason = status.reason, headSha, commit } = wish;
  const live = status.live && {
    ...status.live,
    source: { ...status.live.source, ...(commit === undefined ? {} : { commit }) },
    login: { path: "/login", users: [{ name: "ada", title: "Ada" }] },
  };
  return {
    ...preview,
    revision,
    pullRequest: pullRequest && { ...pullRequest, url: "https://github.example/acme/shop/pull/42" },
    status: { ...status, condition, reason, headSha, live, outputs: { database: "shop_pr_42" } },
  };
}
