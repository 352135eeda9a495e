/** Which of many previews a page of the list holds, and the addresses of both. Pure. */
import type { Preview } from "../status.ts";

/** Rendering more at once would hold up everything else, for every page that is open. */
const PAGE = 100;

export type Shown = "all" | "stalled" | "gone";

export interface Listing {
  readonly shown: Shown;
  readonly previews: readonly Preview[];
  /** Of this kind, over all pages. */
  readonly total: number;
  /** Of those that are there. */
  readonly stalled: number;
  /** From 1. */
  readonly page: number;
  readonly pages: number;
}

/** As the address says; what it says wrongly is the first page of all. */
export function readListing({ show, page }: Readonly<Record<string, unknown>>): Pick<Listing, "shown" | "page"> {
  const number = typeof page === "string" && /^[1-9][0-9]{0,5}$/.test(page) ? Number(page) : 1;
  return { shown: show === "stalled" || show === "gone" ? show : "all", page: number };
}

/** @param previews those that are gone among them where these are asked for */
export function listingOf(previews: readonly Preview[], { shown, page }: Pick<Listing, "shown" | "page">): Listing {
  const here = previews.filter(({ status }) => status.goneAt === undefined);
  const stalled = here.filter(({ status }) => status.condition === "Stalled");
  const wanted = shown === "gone" ? newestGone(previews) : shown === "stalled" ? stalled : here;
  const pages = Math.max(1, Math.ceil(wanted.length / PAGE));
  const at = Math.min(page, pages);
  const slice = wanted.slice((at - 1) * PAGE, at * PAGE);
  return { shown, previews: slice, total: wanted.length, stalled: stalled.length, page: at, pages };
}

export function listHref(shown: Shown, page = 1): string {
  const query = [shown === "all" ? "" : `show=${shown}`, page === 1 ? "" : `page=${page}`].filter(Boolean).join("&");
  return query ? `/?${query}` : "/";
}

export function detailHref(key: string): string {
  return `/previews/${encodeURIComponent(key)}`;
}

function newestGone(previews: readonly Preview[]): readonly Preview[] {
  const time = ({ status }: Preview) => status.goneAt ?? "";
  return previews.filter(time).sort((a, b) => time(b).localeCompare(time(a)));
}
