/**
 * An inbox of one preview, as a program of its own that the preview's user runs: `main.mjs smtp|sms|webhooks`.
 * Environment: PORT (the page, and for all but smtp what is caught too), PORT_SMTP, INBOX_NAME, INBOX_URL, HOME.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import type { Recorded } from "./recorder.ts";
import { answerInbox } from "./routes.ts";
import { openStore, type Store } from "./store.ts";
import { isStranger } from "./strangers.ts";

const WHAT = { smtp: "mails", sms: "messages", webhooks: "webhooks" } as const;
/** Long enough for a list that waits. */
const REQUEST_TIMEOUT_MS = 90_000;

const { PORT, PORT_SMTP, INBOX_NAME: name = "inbox", INBOX_URL: url, HOME = "." } = process.env;
const kind = process.argv[2];
if (kind !== "smtp" && kind !== "sms" && kind !== "webhooks") throw new Error(`there is no inbox "${kind}"`);

const store = await openStore(join(HOME, ".stackling-inbox", name));
const smtp = kind === "smtp" ? await listenForMail(store, Number(PORT_SMTP)) : undefined;
const record = kind === "smtp" ? undefined : await recorder(store, kind);
const inbox = { store, name, what: WHAT[kind], host: url === undefined ? undefined : new URL(url).host } as const;

const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
  meet(request, response).catch((error: unknown) => {
    console.error(error);
    if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
    response.end("the inbox failed; its log says why\n");
  });
});
server.listen(Number(PORT), "127.0.0.1", () => {
  const address = server.address();
  console.log(`inbox of ${WHAT[kind]} at port ${typeof address === "object" ? address?.port : address}`);
});
process.once("SIGTERM", () => {
  smtp?.close();
  server.close(() => process.exit(0));
  server.closeAllConnections();
});

async function meet(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (await isStranger(request.socket)) {
    response.writeHead(403, { connection: "close", "content-type": "text/plain" });
    response.end("this inbox is another preview's\n");
    return;
  }
  await answer(request, response);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? "/").split("?")[0];
  if (path === "/inbox" || path?.startsWith("/inbox/")) return answerInbox(inbox, request, response);
  const isPerson = request.method === "GET" && request.headers["sec-fetch-dest"] === "document";
  if (record && !isPerson) return record(request, response);
  response.writeHead(path === "/" ? 303 : 404, path === "/" ? { location: "/inbox" } : {}).end();
}

async function recorder(kept: Store, what: Recorded) {
  const { record } = await import("./recorder.ts");
  return (request: IncomingMessage, response: ServerResponse) => record({ store: kept, kind: what }, request, response);
}

async function listenForMail(kept: Store, port: number) {
  const { createSmtp } = await import("./smtp.ts");
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const made = createSmtp(kept);
  made.once("error", reject);
  made.listen(port, "127.0.0.1", resolve);
  await promise;
  made.off("error", reject);
  // Of one client's connection; the others go on.
  made.on("error", (error: Error) => console.error(`a mail was not taken: ${error.message}`));
  const address = made.server.address();
  console.log(`taking mail at port ${typeof address === "object" ? address?.port : address}`);
  return made;
}
