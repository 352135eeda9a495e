/**
 * `npm run screenshots`: the pictures in `docs/pictures/`, taken in a real browser of the pages as they are. The
 * server is the tests' own, with previews in memory that cover what there is to be seen; the comments are the
 * golden files that the tests hold, in the look of a forge.
 */
import { mkdir, readFile, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { marked } from "marked";
import type { Browser, Page } from "playwright-core";
import type { Preview } from "../service/status.ts";
import { type AppEdge, startApp } from "../test/service/app/app-edge.ts";
import { launchBrowser } from "../test/support/browser.ts";
import { aPreview, COMMIT, type PreviewWish } from "../test/support/previews.ts";

const PICTURES = fileURLToPath(new URL("../docs/pictures/", import.meta.url));
const COMMENTS = new URL("../test/fixtures/comments/", import.meta.url);
/** So that a clone stays small. */
const BYTES_MAX = 150_000;
const WIDE = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };
const HOUR_MS = 3_600_000;

const COMMENT_STYLE = `
body { margin: 0; padding: 20px; background: #f6f8fa; color: #1f2328; font: 14px/1.5 system-ui, "DejaVu Sans", sans-serif }
article { max-width: 780px; margin: 0 auto 16px; padding: 12px 18px; background: #fff; border: 1px solid #d1d9e0; border-radius: 8px }
h3 { margin: 4px 0 10px; font-size: 18px } p { margin: 8px 0 } a { color: #0969da }
table { border-collapse: collapse; margin: 8px 0 } thead { display: none } td { border: 1px solid #d1d9e0; padding: 5px 12px }
code { padding: 2px 5px; border-radius: 5px; background: #eff1f3; font-size: 12px } pre { padding: 10px; background: #eff1f3; border-radius: 6px }
pre code { padding: 0 } summary { cursor: pointer }`;

/** Not every machine has letters for them, and a picture must not depend on the machine. */
const SIGNS = /\p{Extended_Pictographic}\uFE0F? /gu;

await mkdir(PICTURES, { recursive: true });
const browser = await launchBrowser();
const edge = await startApp();
try {
  fill(edge);
  await takePages(browser, edge);
  await takeComments(browser);
} finally {
  await browser.close();
  await edge.close();
}

async function takePages(of: Browser, { port, sessions }: AppEdge): Promise<void> {
  const home = `http://localhost:${port}`;
  const looks = [
    { suffix: "", colorScheme: "light", viewport: WIDE },
    { suffix: "-dark", colorScheme: "dark", viewport: WIDE },
    { suffix: "-phone", colorScheme: "light", viewport: PHONE },
  ] as const;
  for (const { suffix, ...look } of looks) {
    const context = await of.newContext({ ...look, reducedMotion: "reduce" });
    const page = await context.newPage();
    await page.goto(`${home}/login/${sessions.mint()}`);
    await take(page, `list${suffix}`);
    await page.goto(`${home}/previews/shop%2342`);
    await take(page, `preview${suffix}`);
    if (suffix === "") {
      await page.goto(`${home}/trends`);
      await take(page, "trends");
    }
    await context.close();
  }
}

/** As a forge shows them: its sanitising and style sheet are not here, what is said is. */
async function takeComments(of: Browser): Promise<void> {
  const shown = ["Provisioning", "Healthy", "MigrationFailed", "Asleep"];
  const bodies = await Promise.all(shown.map((name) => readFile(new URL(`${name}.md`, COMMENTS), "utf8")));
  const comments = await Promise.all(bodies.map((body) => marked.parse(body.replace(SIGNS, ""), { gfm: true })));
  const page = await of.newPage({ viewport: { width: 860, height: 400 } });
  await page.setContent(
    `<!doctype html><style>${COMMENT_STYLE}</style>${comments.map((body) => `<article>${body}</article>`).join("")}`,
  );
  await take(page, "comments", { fullPage: true });
  await page.close();
}

async function take(page: Page, name: string, options: { readonly fullPage?: boolean } = {}): Promise<void> {
  const path = `${PICTURES}${name}.png`;
  await page.screenshot({ ...options, path });
  const { size } = await stat(path);
  if (size > BYTES_MAX) throw new Error(`taking "${name}.png": it has ${size} bytes, and may have ${BYTES_MAX}`);
  console.log(`docs/pictures/${name}.png ${Math.round(size / 1024)} KiB`);
}

/** What there is to be seen: every stage of life, a queue, a stage, a failure with its words. */
function fill({ store, samples, lines, deployments }: AppEdge): void {
  const shop = (number: number) => ({ web: `http://pr-${number}-shop.localhost:4000` });
  const put = (number: number, hours: number, author: string, title: string, more: PreviewWish = {}) =>
    store.put(aged(aPreview({ number, title, ...more }), { hours, author }));
  put(57, 1, "grace", "Send receipts by mail", { status: { message: "Building commit 0123456." } });
  put(56, 2, "linus", "Sort the catalogue by price", {
    status: {
      reason: "Queued",
      message: "First in the queue of shop, which may have 6 live previews at once. It goes on by itself.",
      since: before(0.2),
    },
  });
  put(55, 5, "ada", "Pay by invoice", {
    urls: shop(55),
    status: {
      condition: "Stalled",
      reason: "MigrationFailed",
      message: "migrating: `0007_invoices.sql` failed; the version before goes on.",
    },
  });
  put(54, 9, "margaret", "Remember the last address", { urls: shop(54) });
  put(51, 26, "grace", "Search while one types", { urls: shop(51) });
  put(48, 70, "barbara", "Ask before a cart is emptied", {
    urls: shop(48),
    status: { awake: false, reason: "Asleep", message: "Asleep; a visit wakes it." },
  });
  put(42, 120, "ada", "Show the cart total", {
    urls: { ...shop(42), api: "http://pr-42-api-shop.localhost:4000" },
    status: { outputs: { database: "shop_pr_42" } },
  });
  const site = aPreview({
    number: 12,
    repository: "site",
    title: "New pictures for the front page",
    urls: { web: "http://pr-12-site.localhost:4000" },
  });
  store.put(aged(site, { hours: 31, author: "linus" }));
  const stage = aPreview({ number: 1, urls: { web: "http://staging-shop.localhost:4000" } });
  const { number: _none, pullRequest: _no, ...staged } = aged(stage, { hours: 900, author: "" });
  store.put({ ...staged, key: "shop:staging", stack: "shop-st-staging", gitBranch: "main" });
  for (const [hours, reason, message] of [
    [5, "Provisioning", "Building commit 0123456."],
    [4.9, "Healthy", "Live at 0123456."],
  ] as const) {
    void store.record({ key: "shop#42", at: before(hours), reason, message });
  }
  const began = Date.parse(before(5));
  const at = (seconds: number) => new Date(began + seconds * 1000).toISOString();
  const steps = (["source", "install", "build", "database", "migrate", "services", "checks"] as const).map(
    (stage, index) => ({ stage, at: at(3 * index), endedAt: at(3 * index + 3) }),
  );
  const deployment = { id: "7", key: "shop#42", kind: "up", outcome: "done", cause: "Push of commit 0123456" } as const;
  const said = ["added 214 packages in 3s", "built in 2.61s", "applied 002-cart.sql", "listening on 4100"].map(
    (text, index) => ({ n: index + 1, at: at(4 + 4 * index), kind: "output" as const, text }),
  );
  deployments.put({ ...deployment, commit: COMMIT, at: at(0), endedAt: at(21), steps, lines: said.length }, said);
  lines.push({ service: "web", text: "listening on 4100" }, { service: "web", text: "GET /cart 200 in 12 ms" });
  for (let hour = 24 * 8; hour > 0; hour -= 1) {
    const day = Math.sin((hour / 24) * 2 * Math.PI);
    samples.push({
      at: before(hour),
      here: Math.round(14 + 4 * day - hour / 40),
      awake: Math.round(7 + 4 * day),
      stalled: hour % 37 < 3 ? 1 : 0,
      queued: 0,
      meanAgeSeconds: 150_000 + hour * 300,
      readySeconds: [18 + (hour % 9), 21 + (hour % 5), 40 + (hour % 23)],
      tornDown: hour % 4 === 0 ? 2 : 0,
      teardownsFailed: hour === 60 ? 1 : 0,
    });
  }
}

function aged(preview: Preview, { hours, author }: { readonly hours: number; readonly author: string }): Preview {
  const { pullRequest, status } = preview;
  return {
    ...preview,
    createdAt: before(hours),
    lastPushAt: before(hours / 2),
    lastVisitAt: before(hours / 3),
    status: { ...status, since: before(Math.min(hours, 4)) },
    ...(pullRequest ? { pullRequest: { ...pullRequest, author } } : {}),
  };
}

function before(hours: number): string {
  return new Date(Date.now() - hours * HOUR_MS).toISOString();
}
