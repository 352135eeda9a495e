import { createServer } from "node:http";

const BODY_LIMIT_BYTES = 64 * 1024;

/**
 * Serves `routes` ("GET /path", with `:name` for one part) on PORT until SIGTERM; `close` frees what
 * the routes used. A route returns `{status, type, body, headers}`, or undefined for 404.
 */
export function serve(routes, close) {
  const table = Object.entries(routes).map(([pattern, handle]) => ({ ...compile(pattern), handle }));
  const server = createServer(async (request, response) => {
    const answer = await respond(table, request).catch((error) => {
      console.error(error);
      return { status: error.status ?? 500, type: "text/plain", body: error.status ? error.message : "internal error" };
    });
    const { status = 200, type = "text/html; charset=utf-8", body = "", headers = {} } = answer;
    response.writeHead(status, { "content-type": type, "cache-control": "no-store", ...headers });
    response.end(request.method === "HEAD" ? undefined : body);
  });
  server.listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? "127.0.0.1", () => {
    console.log(`listening on port ${server.address().port}`);
  });
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.once(signal, () => {
      server.close(() => close());
      server.closeIdleConnections();
    });
  }
  return server;
}

export function json(value, { status = 200, headers = {} } = {}) {
  return { status, type: "application/json", body: `${JSON.stringify(value)}\n`, headers };
}

export function redirect(location, headers = {}) {
  return { status: 303, body: "", headers: { location, ...headers } };
}

/** Fields of a submitted form; at most 64 KiB. */
export async function readForm(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > BODY_LIMIT_BYTES) throw Object.assign(new Error("form is too large"), { status: 413 });
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}

async function respond(table, request) {
  const { pathname } = new URL(request.url, "http://shop.invalid");
  const method = request.method === "HEAD" ? "GET" : request.method;
  for (const route of table) {
    const match = route.method === method && route.path.exec(pathname);
    if (!match) continue;
    const answer = await route.handle({ request, params: match.groups ?? {} });
    if (answer) return answer;
  }
  return { status: 404, type: "text/plain", body: "not found\n" };
}

function compile(pattern) {
  const [method, path] = pattern.split(" ");
  return { method, path: new RegExp(`^${path.replace(/:(\w+)/g, "(?<$1>[\\w-]+)")}$`) };
}
