/** Long lists page by page: `limit`, `cursor`, and in the answer `next` and a `Link` header (RFC 8288). */
import { z } from "zod";
import { pageOfRows } from "../store/page.ts";
import { Refused } from "./problem.ts";
import type { Call } from "./route.ts";

export const LIMIT_MAX = 500;

export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(100).describe("Most entries in one answer."),
  cursor: z
    .string()
    .regex(/^[\w-]{1,600}$/, "must be the `next` of an answer before")
    .optional()
    .describe("`next` of the answer before. It holds for the same filters."),
};

export const nextPage = z.string().optional().describe("`cursor` of the next page; absent on the last one.");

/** Says in the header, too, where the next page is. */
export function pointOn({ request, response }: Pick<Call, "request" | "response">, next: string | undefined): void {
  if (next === undefined) return;
  const url = new URL(request.originalUrl, "http://stackling");
  url.searchParams.set("cursor", next);
  response.setHeader("Link", `<${url.pathname}${url.search}>; rel="next"`);
}

/** An order that stays whatever comes and goes: newest first, by name among those of one moment. */
export interface Placed {
  readonly at: string;
  readonly name: string;
}

export function pageOf<Item>(
  items: readonly Item[],
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
  placeOf: (item: Item) => Placed,
): { readonly shown: readonly Item[]; readonly next?: string } {
  const sorted = items.map((item) => ({ item, place: placeOf(item) })).sort((a, b) => compare(a.place, b.place));
  const from = cursor === undefined ? undefined : readCursor(cursor);
  const rest = from ? sorted.filter(({ place }) => compare(place, from) > 0) : sorted;
  const { rows, ...next } = pageOfRows(rest, limit, ({ place }) => writeCursor(place));
  return { shown: rows.map(({ item }) => item), ...next };
}

function compare(one: Placed, other: Placed): number {
  if (one.at !== other.at) return one.at < other.at ? 1 : -1;
  return one.name === other.name ? 0 : one.name < other.name ? -1 : 1;
}

function writeCursor({ at, name }: Placed): string {
  return Buffer.from(`${at} ${name}`).toString("base64url");
}

function readCursor(cursor: string): Placed {
  const [, at, name] = /^(\d{4}-[\d:.TZ-]{1,24}) (.+)$/s.exec(Buffer.from(cursor, "base64url").toString("utf8")) ?? [];
  if (at === undefined || name === undefined)
    throw new Refused(400, "BadRequest", `reading the request: "${cursor.slice(0, 100)}" is the "next" of no answer`);
  return { at, name };
}
