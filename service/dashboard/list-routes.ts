/** The list, the rows of it that changed, and what a row offers. */
import { setImmediate } from "node:timers/promises";
import type { Request, Router } from "express";
import type { EndsReader } from "../api/preview-ends.ts";
import { previewView } from "../api/preview-view.ts";
import type { Costs } from "../money/costs.ts";
import type { Operate } from "../operate.ts";
import { EVERYTHING, may, visibleTo } from "../roles.ts";
import type { Preview } from "../status.ts";
import type { Store } from "../store/store.ts";
import type { Trends } from "../trends/trends.ts";
import type { Answering } from "./answering.ts";
import { ownPath } from "./appearance.ts";
import type { Frame, Outcome } from "./layout.ts";
import { listOpening, listPage, rowsPage } from "./list-page.ts";
import { rowMenu } from "./list-row.ts";
import { forStrangers, isWanted, listHref, listingOf, readListing } from "./listing.ts";
import { monthCostsReader } from "./month-costs.ts";
import { missingPage } from "./notices.ts";
import { trendTiles } from "./trends-page.ts";

export interface ListPages extends Pick<Answering, "frameOf" | "send"> {
  readonly store: Pick<Store, "list" | "current" | "find">;
  readonly operate: Pick<Operate, "lastSweep">;
  readonly trends: Pick<Trends, "summary">;
  readonly costs: Pick<Costs, "sums" | "now">;
  readonly ends: EndsReader;
  readonly named: (request: Request) => Promise<Preview | undefined>;
  readonly outcomeOf: (request: Request, frame: Frame) => Promise<Outcome | undefined>;
}

/** More than a page ever asks for. */
const ROWS_MAX = 50;

export function listPages(pages: Router, deps: ListPages): void {
  const { store, operate, ends, frameOf, send } = deps;
  const monthCosts = monthCostsReader(deps.costs);

  pages.get("/", async (request, response) => {
    const around = await frameOf(request);
    const { session } = around;
    const wish = session ? readListing(request.query) : forStrangers(readListing(request.query));
    const [previews, endsOf, lastSweep, outcome, summary, costs] = await Promise.all([
      wish.stage === "Gone" ? store.list({ gone: true }) : store.current(),
      ends(),
      may(session, "operate", EVERYTHING) ? operate.lastSweep() : undefined,
      deps.outcomeOf(request, around),
      may(session, "look", EVERYTHING) ? deps.trends.summary() : undefined,
      session ? monthCosts() : undefined,
    ]);
    const listing = listingOf(visibleTo(session, previews), wish, endsOf, (key) => costs?.get(key)?.cost);
    const viewOf = (preview: Preview) => previewView(preview, { ends: endsOf(preview) });
    const frame = { ...around, ...(outcome ? { outcome } : {}) };
    // Styles and scripts are on their way while a long list is still being made; all that can fail has been read.
    const begun = listOpening(listing, frame);
    response.status(200).type("html").write(begun);
    await setImmediate();
    const [views, stages] = [listing.previews.map(viewOf), listing.stages.map(viewOf)];
    const known = { ...(costs ? { costs } : {}), ...(summary ? { trends: trendTiles(summary) } : {}) };
    response.end(listPage({ listing, views, stages, lastSweep, frame, ...known }).markup.slice(begun.length));
  });

  pages.get("/rows", async (request, response) => {
    const frame = await frameOf(request);
    const read = readListing(request.query);
    const wish = frame.session ? read : forStrangers(read);
    const [previews, endsOf, costs] = await Promise.all([
      Promise.all(keysOf(request).map((key) => store.find(key))),
      ends(),
      frame.session ? monthCosts() : undefined,
    ]);
    const found = previews.flatMap((preview) => (preview ? [preview] : []));
    const rows = visibleTo(frame.session, found).map((preview) => ({
      view: previewView(preview, { ends: endsOf(preview) }),
      wanted: isWanted(preview, wish),
    }));
    send(response, 200, rowsPage(rows, { ...frame, ...(costs ? { costs } : {}) }));
  });

  // Without a script the link leads to the preview's own page.
  pages.get("/previews/:key/menu", async (request, response) => {
    const [frame, preview] = [await frameOf(request), await deps.named(request)];
    if (!preview) return send(response, 404, missingPage(frame));
    const from = request.get("hx-current-url");
    const back =
      from !== undefined && URL.canParse(from) ? ownPath(new URL(from).pathname + new URL(from).search) : "/";
    send(response, 200, rowMenu(previewView(preview), frame, listHref(readListing(searchOf(back)))));
  });
}

function keysOf({ query: { key } }: Request): readonly string[] {
  const keys = Array.isArray(key) ? key : [key];
  return keys.filter((one) => typeof one === "string").slice(0, ROWS_MAX);
}

function searchOf(path: string): Readonly<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(path.split("?")[1] ?? ""));
}
