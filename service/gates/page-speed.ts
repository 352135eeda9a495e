/** How heavy and how quick a page is, measured without a browser: the document and the parts of its own that it names. */
import type { GateOf } from "../../infra/checks.ts";
import { readStartTags } from "../gateway/banner/head-reader.ts";
import type { Place } from "../world.ts";
import { type Answer, type Asked, ask, createAgents } from "./http.ts";

/** As a browser does over HTTP/1.1. */
const CONNECTIONS = 6;
const DOCUMENT_RUNS = 3;
const REDIRECTS_MAX = 5;
const TRY_MS = 15_000;
/** More is counted as named, and not fetched. */
const PARTS_MAX = 200;
const PART_BYTES = 16 * 1024 * 1024;
/** What lies behind it names no more parts. */
const HTML_MAX = 1024 * 1024;

export interface Measured {
  readonly ttfbMs: number;
  readonly totalKB: number;
  readonly requests: number;
}

/** Rejects with the rest of a sentence where the page itself does not answer. */
export async function measurePage(
  place: Place,
  { url, path, signal }: { readonly url: string; readonly path: string; readonly signal: AbortSignal },
): Promise<Measured> {
  const agents = createAgents(CONNECTIONS);
  const asking = (target: URL): Asked => ({
    method: "GET",
    path: `${target.pathname}${target.search}`,
    url,
    accept: "text/html,*/*",
    timeoutMs: TRY_MS,
    bodyBytes: PART_BYTES,
    signal,
    agents,
  });
  try {
    const firstBytes: number[] = [];
    let document = await fetchDocument(place, new URL(path, url), asking);
    firstBytes.push(document.firstByteMs);
    while (firstBytes.length < DOCUMENT_RUNS) {
      document = await fetchDocument(place, new URL(path, url), asking);
      firstBytes.push(document.firstByteMs);
    }
    const { page, answer, hops } = document;
    const isPage = /html/i.test(answer.headers["content-type"] ?? "");
    const parts = isPage && !answer.cut ? await partsOf(answer.body.toString("utf8"), page) : [];
    const sizes = await inTurns(parts.slice(0, PARTS_MAX), CONNECTIONS, async (part) =>
      // One that does not answer weighs nothing; it was asked for all the same.
      ask(place, asking(part)).then(
        ({ bytes }) => bytes,
        (error: unknown) => {
          signal.throwIfAborted();
          if (error instanceof Error) return 0;
          throw error;
        },
      ),
    );
    const bytes = sizes.reduce((sum, size) => sum + size, answer.bytes);
    return { ttfbMs: median(firstBytes), totalKB: bytes / 1000, requests: hops + 1 + parts.length };
  } finally {
    agents.close();
  }
}

/** Which budget is broken, as the rest of a sentence; undefined: none. */
export function overBudget(
  { ttfbMs, totalKB, requests }: Pick<GateOf<"pageSpeed">, "ttfbMs" | "totalKB" | "requests">,
  found: Measured,
): string | undefined {
  const over = [
    ...(ttfbMs !== undefined && found.ttfbMs > ttfbMs
      ? [`its first byte came after ${Math.round(found.ttfbMs)} ms, more than ${ttfbMs} ms`]
      : []),
    ...(totalKB !== undefined && found.totalKB > totalKB
      ? [`it weighs ${Math.ceil(found.totalKB)} KB, more than ${totalKB} KB`]
      : []),
    ...(requests !== undefined && found.requests > requests
      ? [`it makes ${found.requests} requests of its own, more than ${requests}`]
      : []),
  ];
  return over.length === 0 ? undefined : over.join("; ");
}

export function measuredWords({ ttfbMs, totalKB, requests }: Measured): string {
  const made = requests === 1 ? "1 request" : `${requests} requests`;
  return `first byte after ${Math.round(ttfbMs)} ms, ${Math.ceil(totalKB)} KB in ${made} of its own`;
}

/**
 * Styles, scripts, images and preloads on the page's own host that a browser fetches at once; each once. By its tags
 * alone: to build the tree of a hostile page could take minutes.
 */
export async function partsOf(html: string, page: URL): Promise<readonly URL[]> {
  const found = new Map<string, URL>();
  let base: URL | undefined;
  const add = (reference: string | undefined) => {
    const from = (base ?? page).href;
    if (reference === undefined || !URL.canParse(reference, from)) return;
    const target = new URL(reference, from);
    target.hash = "";
    if (target.host === page.host && /^https?:$/.test(target.protocol)) found.set(target.href, target);
  };
  await readStartTags(html.slice(0, HTML_MAX), (name, { href, src, rel, loading }) => {
    if (name === "base" && href !== undefined && URL.canParse(href, page.href)) base ??= new URL(href, page.href);
    if (name === "link" && FETCHED.test(rel ?? "")) add(href);
    if (WITH_SOURCE.has(name) && loading !== "lazy") add(src);
  });
  return [...found.values()];
}

const WITH_SOURCE: ReadonlySet<string> = new Set(["img", "script", "iframe", "embed"]);
const FETCHED = /(^|\s)(stylesheet|icon|preload|modulepreload|manifest)(\s|$)/i;

interface Document {
  readonly page: URL;
  readonly answer: Answer;
  readonly hops: number;
  readonly firstByteMs: number;
}

/** Redirects are followed on its own host; to another one is not its page. */
async function fetchDocument(place: Place, start: URL, asking: (target: URL) => Asked): Promise<Document> {
  let page = start;
  let firstByteMs = 0;
  for (let hops = 0; hops <= REDIRECTS_MAX; hops += 1) {
    const answer = await ask(place, asking(page));
    firstByteMs += answer.firstByteMs;
    const { status, headers } = answer;
    if (status >= 200 && status < 300) return { page, answer, hops, firstByteMs };
    const { location } = headers;
    if (status < 300 || status >= 400 || location === undefined || !URL.canParse(location, page.href)) {
      throw new Error(`it answered ${status}`);
    }
    const next = new URL(location, page);
    if (next.host !== start.host) throw new Error("it leads to another host, which is not asked");
    page = next;
  }
  throw new Error(`it answers with more than ${REDIRECTS_MAX} redirects`);
}

async function inTurns<T, R>(all: readonly T[], width: number, work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < all.length; at += width)
    results.push(...(await Promise.all(all.slice(at, at + width).map(work))));
  return results;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
