/** An application that tries what it is told to, as a pull request's own code could, and reports what came of it. */
import { visitorOf } from "./visitor.ts";

export interface SpyAnswer {
  /** Code of the error, such as `EACCES`. */
  readonly error?: string;
  readonly status?: number;
  readonly text?: string;
}

/** Has the spy at `url` try one thing; `question.what` is one of the names in its source. */
export async function spyOn<T>(
  url: string,
  question: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<T> {
  const { text } = await visitorOf(url).get(`/?${new URLSearchParams(question)}`, headers);
  return JSON.parse(text) as T;
}

/** Source of its server. */
export const SPY = `
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect } from "node:net";
const tries = {
  environment: () => process.env,
  read: ({ path }) => ({ text: statSync(path).isDirectory() ? readdirSync(path).join() : readFileSync(path, "utf8") }),
  write: ({ path }) => (writeFileSync(path, "here"), {}),
  listen: ({ port }) => new Promise((resolve, reject) => {
    const server = createServer().on("error", reject).listen(Number(port), "127.0.0.1", () => server.close(() => resolve({})));
  }),
  signal: ({ pid }) => (process.kill(Number(pid), 0), {}),
  connect: ({ host, port }) => new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port) }, () => { socket.destroy(); resolve({ text: "connected" }); });
    socket.on("error", reject);
  }),
  fetch: async ({ url }) => {
    const answer = await fetch(url, { method: "POST", body: "{}" }).catch((error) => { throw error.cause ?? error; });
    return { status: answer.status, text: await answer.text() };
  },
  call: ({ port, host, method, path }) => new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, method, headers: { host, "content-type": "application/json" } }, (response) => {
      let text = "";
      response.on("data", (part) => { text += part; });
      response.on("end", () => resolve({ status: response.statusCode, text }));
    });
    asked.on("error", reject);
    asked.end(method === "POST" ? JSON.stringify({ action: "down" }) : undefined);
  }),
};
createServer(async (asked, response) => {
  if (asked.url === "/health") return response.end("ok");
  const question = Object.fromEntries(new URL(asked.url, "http://spy.invalid").searchParams);
  try {
    response.end(JSON.stringify(await tries[question.what](question)));
  } catch (error) {
    response.end(JSON.stringify({ error: error.code ?? error.message }));
  }
}).listen(process.env.PORT, "127.0.0.1");
`;
