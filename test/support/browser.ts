import { type Browser, chromium } from "playwright-core";
import { browserPath } from "./requires.ts";

const OPTIONS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** This machine's own Chromium, which asks nobody on the network for anything of its own; `requires("browser")` says whether there is one. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: browserPath(), args: OPTIONS });
}
