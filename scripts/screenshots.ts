/**
 * `npm run screenshots`: the pictures in `docs/pictures/`, taken in a real browser of the pages as they are. The
 * server is the tests' own, with previews in memory that cover what there is to be seen; the comments are the
 * golden files that the tests hold, in the look of a forge.
 */
import { mkdir, readFile, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { marked } from "marked";
import type { Browser, Locator, Page } from "playwright-core";
import type { AppEdge } from "../test/service/app/app-edge.ts";
import { launchBrowser } from "../test/support/browser.ts";
import { startPicturedWorld } from "./pictured-world.ts";

const PICTURES = fileURLToPath(new URL("../docs/pictures/", import.meta.url));
const COMMENTS = new URL("../test/fixtures/comments/", import.meta.url);
/** So that a clone stays small. */
const BYTES_MAX = 150_000;
const WIDE = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };

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
const edge = await startPicturedWorld();
try {
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
      await take(page, "trends", { fullPage: true });
      await page.goto(`${home}/kpis`);
      await take(page, "kpis");
      await page.goto(`${home}/previews/shop%2342`);
      await take(page.locator("#cost"), "preview-cost");
      await page.setViewportSize({ ...WIDE, height: 1072 });
      await page.goto(`${home}/costs`);
      await take(page, "costs");
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

async function take(
  of: Pick<Page, "screenshot"> | Pick<Locator, "screenshot">,
  name: string,
  options: { readonly fullPage?: boolean } = {},
): Promise<void> {
  const path = `${PICTURES}${name}.png`;
  await of.screenshot({ ...options, path });
  const { size } = await stat(path);
  if (size > BYTES_MAX) throw new Error(`taking "${name}.png": it has ${size} bytes, and may have ${BYTES_MAX}`);
  console.log(`docs/pictures/${name}.png ${Math.round(size / 1024)} KiB`);
}
