/** axe over the pages in a browser: light and wide, dark and as narrow as a phone. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../../support/browser.ts";
import { aPreview } from "../../support/previews.ts";
import { requires } from "../../support/requires.ts";
import { type AppEdge, startApp } from "../app/app-edge.ts";
import { someBudgets, someCosts } from "../app/some-costs.ts";

const AXE = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");
const PATHS = [
  "/",
  "/?q=nothing-like-it",
  "/previews/shop%2342",
  "/previews/shop%2343",
  "/trends",
  "/costs",
  "/costs?by=pull-request",
  "/kpis",
  "/services",
  "/sweep",
  "/audit",
  "/tokens",
  "/repositories",
  "/doctor",
];
const LOOKS = [
  { name: "light and wide", colorScheme: "light", viewport: { width: 1280, height: 900 } },
  { name: "dark and narrow", colorScheme: "dark", viewport: { width: 390, height: 844 } },
] as const;

interface Finding {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

describe("what keeps people out of the pages", requires("browser"), () => {
  let browser: Browser;
  let edge: AppEdge;

  before(async () => {
    browser = await launchBrowser();
    edge = await startApp();
    const put = (number: number, more: Parameters<typeof aPreview>[0] = {}) =>
      edge.store.put(aPreview({ number, ...more }));
    const urls = { web: "http://pr-42-shop.localhost:4000", api: "http://pr-42-api-shop.localhost:4000" };
    const warned = {
      at: "2026-12-05T10:00:00.000Z",
      idleSince: "2026-11-21T10:00:00.000Z",
      goesAt: "2026-12-12T10:00:00.000Z",
    };
    put(42, { urls, status: { outputs: { database: "shop_pr_42" }, warned } });
    put(43, {
      status: {
        condition: "Stalled",
        reason: "BuildFailed",
        message: "`npm run build` failed.",
        excerpt: ["exit code 1"],
      },
    });
    put(44, { status: { reason: "Queued", message: "First in the queue." } });
    put(45, { urls, status: { awake: false, reason: "Asleep" } });
    edge.store.put({ ...aPreview({ urls }), key: "shop:staging", stack: "shop-st-staging" });
    await edge.store.record({ key: "shop#42", at: "2026-11-21T10:01:00.000Z", reason: "Healthy", message: "Live." });
    for (let hour = 0; hour < 30; hour += 1) {
      edge.samples.push({
        at: new Date(Date.now() - hour * 3_600_000).toISOString(),
        here: 4 + (hour % 3),
        awake: 2,
        stalled: hour % 2,
        queued: 0,
        meanAgeSeconds: 90_000,
        readySeconds: [20, 40],
        tornDown: 1,
        teardownsFailed: 0,
      });
    }
    edge.samples.reverse();
    edge.ledger.push(...someCosts());
    edge.budgets.push(...someBudgets());
    const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
    edge.facts.moves = [
      { key: "shop#43", at: ago(300), reason: "BuildFailed" },
      { key: "shop#43", at: ago(3), reason: "BuildFailed" },
    ];
    edge.facts.merged = [1, 2, 3].map((number) => ({
      key: `shop#${number}`,
      openedAt: ago(30 + number * 100),
      mergedAt: ago(number * 90),
      previewed: number !== 2,
      bot: false,
    }));
  });
  after(async () => {
    await browser?.close();
    await edge?.close();
  });

  for (const { name, colorScheme, viewport } of LOOKS) {
    it(`is found nowhere that is ${name}`, async () => {
      const context = await browser.newContext({ colorScheme, viewport });
      const page = await context.newPage();
      const home = `http://localhost:${edge.port}`;
      const found: string[] = [];
      const look = async (where: string) => found.push(...(await seriousOn(page)).map((words) => `${where}: ${words}`));
      await page.goto(home);
      await look("/ to strangers");
      await page.goto(`${home}/login/0123456789`);
      await look("a login that is over");
      await page.goto(`${home}/login/${edge.sessions.mint()}`);
      for (const path of PATHS) {
        const answer = await page.goto(home + path);
        // Pages that this server has nothing for are somebody else's to show.
        if (answer?.status() === 200) await look(path);
      }
      await page.goto(home);
      await page.getByRole("link", { name: "Actions on shop#42" }).click();
      await page.getByRole("dialog", { name: "Actions" }).getByRole("button", { name: "Redeploy" }).waitFor();
      await look("actions");
      await page.getByRole("button", { name: "Take down" }).click();
      await page.getByRole("dialog", { name: "Take down shop#42?" }).waitFor();
      await look("a question");
      await context.close();
      assert.deepEqual(found, []);
    });
  }
});

async function seriousOn(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  const violations: readonly Finding[] = await page.evaluate(
    "axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, impact, nodes }) => ({ id, impact, nodes })))",
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id} ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}
