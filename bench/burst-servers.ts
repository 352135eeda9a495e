/** Servers of the burst, each in a process of its own: the bare middleware, and a forge whose pull requests are all closed. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createNodeMiddleware, Webhooks } from "@octokit/webhooks";

const [role = "", secret = ""] = process.argv.slice(2);
const roles: Readonly<Record<string, () => Server>> = { middleware, forge };
const server = roles[role]?.();
if (!server) throw new Error(`starting a server of the burst: there is no role "${role}"`);
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.send?.((server.address() as AddressInfo).port);
// Ends with the benchmark, also when that was killed.
process.once("disconnect", () => process.exit());

/** As its README has it, with a handler that does nothing. */
function middleware(): Server {
  const webhooks = new Webhooks({ secret });
  webhooks.on("pull_request", () => {});
  return createServer(createNodeMiddleware(webhooks, { path: "/webhooks/github" }));
}

/** What the service reads while the burst goes on: GitHub's REST API, as far as a closed pull request needs it. */
function forge(): Server {
  const repository = { id: 1, name: "shop", full_name: "acme/shop", default_branch: "main" };
  return createServer((request, response) => {
    const number = /\/pulls\/(\d+)$/.exec(request.url ?? "")?.[1];
    if (number !== undefined) return answer(request, response, closedPull(Number(number)));
    return answer(request, response, /\/pulls\?/.test(request.url ?? "") ? [] : repository);
  });
}

function answer(_request: IncomingMessage, response: ServerResponse, body: unknown): void {
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  response.end(JSON.stringify(body));
}

function closedPull(number: number): object {
  const at = "2026-01-01T00:00:00Z";
  const end = { sha: "0".repeat(40), repo: { id: 1 } };
  return {
    number,
    title: `Change ${number}`,
    state: "closed",
    draft: false,
    merged_at: at,
    user: { login: "ada", type: "User" },
    labels: [],
    head: { ...end, ref: `change-${number}` },
    base: { ...end, ref: "main" },
    html_url: `http://127.0.0.1/acme/shop/pull/${number}`,
    created_at: at,
    updated_at: at,
    author_association: "MEMBER",
  };
}
