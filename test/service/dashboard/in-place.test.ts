/** What is asked for without leaving the page, in a browser. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import { launchBrowser } from "../../support/browser.ts";
import { aPreview } from "../../support/previews.ts";
import { requires } from "../../support/requires.ts";
import { type AppEdge, startApp } from "../app/app-edge.ts";

/** Whether nothing lies over the middle of what is said. */
const ON_TOP = `(() => {
  const line = document.querySelector("#outcome p");
  const { x, y, width, height } = line.getBoundingClientRect();
  return document.elementFromPoint(x + width / 2, y + height / 2) === line;
})()`;

describe("what came of an action", requires("browser"), () => {
  let browser: Browser;
  let edge: AppEdge;
  before(async () => {
    [browser, edge] = await Promise.all([launchBrowser(), startApp()]);
    for (let number = 42; number < 62; number += 1) {
      edge.store.put(aPreview({ number, urls: { web: `http://pr-${number}-shop.localhost:4000` } }));
    }
  });
  after(async () => {
    await browser?.close();
    await edge?.close();
  });

  it("is said once, and above what else sticks to the top of a long list", async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 600 } });
    const home = `http://localhost:${edge.port}`;
    await page.goto(`${home}/login/${edge.sessions.mint()}`);
    await page.goto(home);
    for (const number of [61, 60]) {
      await page.getByRole("link", { name: `Actions on shop#${number}` }).click();
      await page.getByRole("dialog", { name: "Actions" }).getByRole("button", { name: "Redeploy" }).click();
      await page.locator("#outcome p", { hasText: `shop#${number}` }).waitFor();
    }
    assert.equal(await page.locator("#outcome").count(), 1);
    await page.evaluate("scrollTo(0, document.body.scrollHeight)");
    const isOnTop: boolean = await page.evaluate(ON_TOP);
    assert.ok(isOnTop);
    await page.close();
  });
});
