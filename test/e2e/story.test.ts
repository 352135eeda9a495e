/**
 * What a preview is for, as somebody lives it in a browser: the link, the banner, a seeded user, an order, its mail,
 * a fresh database. Each step leaves a picture in `screenshots/`, to be looked at by people.
 */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { requires } from "../support/requires.ts";
import { type AcrossShadows, acrossShadows } from "./support/across-shadows.ts";
import { type Instance, prepareInstance } from "./support/instance.ts";
import { shopApp } from "./support/shop-app.ts";

const PICTURES = fileURLToPath(new URL("../../screenshots/", import.meta.url));
const PATIENCE_MS = 60_000;
const KEY = "teashop#1";

describe("somebody who tries a pull request of the example shop", requires("engine", "postgres", "browser"), () => {
  let repository: TestRepository;
  let instance: Instance;
  let browser: Browser;
  let page: Page;
  let banner: AcrossShadows;
  let url: string;
  let orderUrl: string;

  before(async () => {
    await mkdir(PICTURES, { recursive: true });
    const files = await shopApp();
    repository = await createRepository({ files });
    const theme = files["theme.mjs"] ?? "";
    await repository.commit("iced", { "theme.mjs": theme.replace("Good tea, plainly told.", "Tea over ice.") });
    instance = await prepareInstance({
      config: (port) => `port: ${port}\nrepositories:\n  - { path: ${repository.path}, name: teashop }\n`,
    });
    await instance.start();
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
    page.setDefaultTimeout(PATIENCE_MS);
    banner = acrossShadows(page);
  });
  after(async () => {
    await browser?.close();
    await instance?.remove();
    await repository?.remove();
  });

  const picture = (name: string) => page.screenshot({ path: join(PICTURES, `${name}.png`) });
  const isOpen = () => banner.finds("button", /^Preview – not production #1 .*/, { expanded: true });
  /** What leads away from the preview opens in a tab of its own. */
  const follow = async (name: RegExp) => {
    const [tab] = await Promise.all([page.context().waitForEvent("page"), banner.click("link", name)]);
    tab.setDefaultTimeout(PATIENCE_MS);
    page = tab;
    banner = acrossShadows(page);
  };
  /** Opened by a click, and left as it is where it is open already. */
  const openBanner = async () => {
    await banner.finds("button", /^Preview – not production #1 /);
    if (!(await banner.has("button", /^Preview/, { expanded: true }))) await banner.click("button", /^Preview/);
    await isOpen();
  };

  it("finds it by its link, with a banner that says what this is", async () => {
    await page.goto(await instance.client.loginLink());
    ({ url = "" } = await instance.waitFor(KEY, ({ reason, url: link }) => reason === "Healthy" && !!link, "live"));
    await page.reload();
    await picture("1-previews");
    await page.goto(url);
    await page.getByRole("heading", { name: "Tea over ice." }).waitFor();
    await picture("2-shop");
    await openBanner();
    for (const link of [/^Logs/, /^Inbox: mail/, /^Reset database/, /^Ada, who likes it strong/]) {
      await banner.finds("link", link);
    }
    await picture("3-banner");
  });

  it("logs in as a user of the seeds with one click", async () => {
    await banner.click("link", /^Ada, who likes it strong/);
    await page.getByRole("button", { name: /log out/i }).waitFor();
    assert.equal(new URL(page.url()).origin, new URL(url).origin);
    assert.equal(new URL(page.url()).search, "", "no token is left in the address");
    await picture("4-logged-in");
  });

  it("places an order, and finds its mail in the preview's inbox", async () => {
    await page.locator('button[name="product"]').first().click();
    await page.getByRole("heading", { name: "Your cart" }).waitFor();
    await page.getByRole("button", { name: "Place the order" }).click();
    await page.waitForURL(/\/orders\//);
    orderUrl = page.url();
    await picture("5-order");
    await openBanner();
    await follow(/^Inbox: mail/);
    const mail = page.getByText(/^Your order /).first();
    await mail.waitFor();
    await picture("6-inbox");
    await mail.click();
    await page.frameLocator("iframe").getByText("Thank you, ").waitFor();
    await page.getByText("ada@kettle-and-leaf.example").first().waitFor();
    await picture("7-mail");
  });

  it("resets the database, and finds the order gone", async () => {
    assert.equal((await page.goto(orderUrl))?.status(), 200);
    await openBanner();
    await follow(/^Reset database/);
    const reset = page.getByRole("button", { name: /reset/i }).first();
    await reset.waitFor();
    await picture("8-reset");
    await reset.click();
    await page.getByRole("dialog").getByRole("button", { name: /reset/i }).click();
    await page.locator("#outcome").waitFor();
    await eventually(async () => (await page.goto(orderUrl))?.status() === 404, {
      timeoutMs: PATIENCE_MS,
      what: "the order is gone",
    });
    await instance.waitFor(KEY, ({ reason }) => reason === "Healthy", "live again");
    await page.goto(url);
    await page.getByRole("heading", { name: "Tea over ice." }).waitFor();
    assert.equal(await page.getByText("Logged in as").count(), 0);
    await picture("9-gone");
  });
});
