/** The inbox over HTTP: its page for people, and the same as JSON for test suites. All of it lies under /inbox. */
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import type { Entry } from "./entries.ts";
import { readMail, withOwnPictures } from "./mail.ts";
import { type Chosen, inboxPage, type PageInput } from "./page.ts";
import type { Store } from "./store.ts";

export interface InboxDeps {
  readonly store: Store;
  readonly name: string;
  readonly what: PageInput["what"];
  /** Public host of this page; besides, only this machine's own names are answered to. */
  readonly host: string | undefined;
}

const WAIT_MAX_SECONDS = 60;
const ASSETS: Readonly<Record<string, string>> = {
  "inbox.css": "text/css; charset=utf-8",
  "inbox.js": "text/javascript; charset=utf-8",
};
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/** A mail is a stranger's: no script, nothing from elsewhere, an origin of its own even where it is opened by itself. */
const MAIL_POLICY =
  "default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";
const COMMON = {
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-dns-prefetch-control": "off",
};

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
}

/** Answers what is asked under /inbox. */
export async function answerInbox(deps: InboxDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [pathname = "", asked] = (request.url ?? "/").split("?");
  const exchange = { request, response, query: new URLSearchParams(asked) };
  const method = request.method === "HEAD" ? "GET" : (request.method ?? "GET");
  const [what = "", id, part, index] = pathname.slice("/inbox/".length).split("/");
  if (!isKnownHost(deps, request)) return sendText(response, 421, "this inbox is not at that host");
  if (method !== "GET" && !isOwn(request)) return sendText(response, 403, "asked for by another site");
  if (method === "GET" && what === "") return sendPage(deps, exchange);
  if (method === "GET" && Object.hasOwn(ASSETS, what)) return sendAsset(response, what);
  if (method === "POST" && what === "clear") {
    await deps.store.remove();
    response.writeHead(303, { location: "/inbox" }).end();
    return;
  }
  if (what === "messages") {
    if (method === "DELETE" && part === undefined) {
      await deps.store.remove(id);
      response.writeHead(204).end();
      return;
    }
    if (method === "GET" && id === undefined) return sendList(deps, exchange);
    const entry = method === "GET" && id ? await deps.store.find(id) : undefined;
    if (entry) return sendEntry(deps, response, { entry, part, index: Number(index) });
  }
  sendText(response, 404, "not found");
}

async function sendPage({ store, name, what }: InboxDeps, { response, query }: Exchange): Promise<void> {
  const show = query.get("show");
  const entries = await store.list();
  const entry = entries.find(({ id }) => id === show);
  const chosen = entry && (await contentOf(store, entry));
  const page = inboxPage({ name, what, entries, missing: show !== null && !entry, ...(chosen ? { chosen } : {}) });
  send(response, { type: "text/html; charset=utf-8", body: page, headers: { "content-security-policy": PAGE_POLICY } });
}

async function sendAsset(response: ServerResponse, name: string): Promise<void> {
  const body = await readFile(fileURLToPath(new URL(`./assets/${name}`, import.meta.url)));
  send(response, { type: ASSETS[name] ?? "", body });
}

/** Newest first; with `wait` as soon as there is one, or none once the time is over. */
async function sendList({ store }: InboxDeps, { response, query }: Exchange): Promise<void> {
  const limit = Number(query.get("limit") ?? 200);
  const wait = Number(query.get("wait") ?? 0);
  if (!Number.isInteger(limit) || limit < 1) return sendText(response, 400, '"limit" must be a whole number from 1');
  if (!(wait >= 0 && wait <= WAIT_MAX_SECONDS)) {
    return sendText(response, 400, `"wait" must be seconds, ${WAIT_MAX_SECONDS} at most`);
  }
  const isWanted = filterOf(query);
  let messages = (await store.list()).filter(isWanted);
  if (messages.length === 0 && wait > 0) {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(wait * 1000)]);
    const arrived = (entries: readonly Entry[]) => (entries.some(isWanted) ? entries.filter(isWanted) : undefined);
    messages = (await store.until(arrived, signal)) ?? [];
  }
  sendJson(response, { messages: messages.slice(0, limit).map(summaryOf) });
}

/** `to`, `from` and `subject` are parts in any case; `after` is the id of one that is known already. */
function filterOf(query: URLSearchParams): (entry: Entry) => boolean {
  const has = (value: string, wanted: string | null) =>
    wanted === null || value.toLowerCase().includes(wanted.toLowerCase());
  return (entry) =>
    entry.id > (query.get("after") ?? "") &&
    entry.at >= (query.get("since") ?? "") &&
    (query.get("to") === null || entry.to.some((address) => has(address, query.get("to")))) &&
    has(entry.from, query.get("from")) &&
    has(entry.subject, query.get("subject"));
}

interface Wanted {
  readonly entry: Entry;
  readonly part: string | undefined;
  readonly index: number;
}

async function sendEntry(
  { store }: InboxDeps,
  response: ServerResponse,
  { entry, part, index }: Wanted,
): Promise<void> {
  if (part === undefined) return sendJson(response, await wholeOf(store, entry));
  const raw = await store.raw(entry.id);
  if (part === "raw") {
    const name = entry.kind === "mail" ? `${entry.id}.eml` : `${entry.id}.bin`;
    return sendFile(response, { name, body: raw, type: "application/octet-stream" });
  }
  const mail = entry.kind === "mail" ? await readMail(raw) : undefined;
  if (part === "html" && mail?.html !== undefined) {
    // Before whatever the mail says: its links open beside the page.
    const body = `<!doctype html><meta charset="utf-8"><base target="_blank">${withOwnPictures(mail.html, mail.attachments)}`;
    const headers = { "content-security-policy": MAIL_POLICY };
    return send(response, { type: "text/html; charset=utf-8", body, headers });
  }
  const attached = part === "attachments" ? mail?.attachments[index] : undefined;
  if (attached) return sendFile(response, { name: attached.name, body: attached.content, type: attached.type });
  sendText(response, 404, "not found");
}

async function contentOf(store: Store, entry: Entry): Promise<Chosen> {
  const raw = await store.raw(entry.id).catch(() => Buffer.alloc(0));
  if (entry.kind === "mail") return { entry, mail: await readMail(raw) };
  return { entry, body: entry.kind === "sms" ? entry.subject : readable(raw) };
}

async function wholeOf(store: Store, entry: Entry): Promise<object> {
  const { mail, body } = await contentOf(store, entry);
  if (!mail) return { ...summaryOf(entry), ...(entry.kind === "sms" ? { text: body } : { body }) };
  const { cc, text, html, headers } = mail;
  return { ...summaryOf(entry), cc, text, html, headers };
}

function summaryOf(entry: Entry): object {
  const at = `/inbox/messages/${entry.id}`;
  if (entry.kind !== "mail") return entry;
  return {
    ...entry,
    attachments: entry.attachments.map((one, index) => ({ ...one, path: `${at}/attachments/${index}` })),
  };
}

/** JSON with its lines; of what is no text its size says enough. */
function readable(raw: Buffer): string {
  if (raw.includes(0)) return `(${raw.length} bytes that are no text)`;
  const text = raw.toString("utf8");
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** A page elsewhere whose name was made to lead here reads nothing. */
function isKnownHost({ host }: InboxDeps, { headers }: IncomingMessage): boolean {
  const asked = (headers.host ?? "").toLowerCase();
  return asked === host || /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(asked);
}

/** Browsers say which site asks; programs that are none say nothing. */
function isOwn({ headers }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin" || site === "none";
  return headers.origin === undefined || headers.origin.replace(/^https?:\/\//, "") === headers.host;
}

interface Sent {
  readonly status?: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

function send(response: ServerResponse, { status = 200, type, body, headers = {} }: Sent): void {
  const length = Buffer.byteLength(body);
  response.writeHead(status, { ...COMMON, "content-type": type, "content-length": length, ...headers });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

function sendJson(response: ServerResponse, value: object): void {
  send(response, { type: "application/json", body: `${JSON.stringify(value)}\n` });
}

function sendText(response: ServerResponse, status: number, text: string): void {
  send(response, { status, type: "text/plain; charset=utf-8", body: `${text}\n` });
}

/** Saved, never shown: it may be a page or a picture with a script. */
function sendFile(response: ServerResponse, { name, type, body }: { name: string; type: string; body: Buffer }): void {
  const quoted = encodeURIComponent(name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  const headers = {
    "content-disposition": `attachment; filename*=UTF-8''${quoted}`,
    "content-security-policy": "default-src 'none'; sandbox",
  };
  send(response, { type, body, headers });
}
