import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { signedHeaders } from "../../support/emulate.ts";

export interface Delivery {
  readonly body: string;
  /** Laid over the signed ones; undefined takes one away. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface Deliveries {
  /** Posts one as GitHub would. Rejects when the connection ends without an answer. */
  send(delivery: Delivery): Promise<Answer>;
  /** Begins one and sends `bytes` of it or nothing; for bodies that are refused before they are read. */
  begin(claimedBytes: number): { readonly answer: Promise<Answer>; end(): void };
  close(): void;
}

/** What GitHub says when a pull request got a new commit. */
export function synchronized(number: number, repository = "acme/shop"): string {
  return JSON.stringify({ action: "synchronize", number, repository: { full_name: repository } });
}

export function openDeliveries(port: number, connections = 256): Deliveries {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const post = (headers: Readonly<Record<string, string | undefined>>) => {
    const sent = Object.fromEntries(
      Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    return request({ host: "127.0.0.1", port, path: "/webhooks/github", method: "POST", agent, headers: sent });
  };
  return {
    async send({ body, headers = {} }) {
      const asked = post({ ...signedHeaders("pull_request", body), ...headers });
      asked.end(body);
      return answerOf(asked);
    },
    begin(claimedBytes) {
      const asked = post({ ...signedHeaders("pull_request", "{}"), "content-length": String(claimedBytes) });
      asked.flushHeaders();
      const answer = answerOf(asked);
      answer.catch(() => {});
      return { answer, end: () => asked.destroy() };
    },
    close: () => agent.destroy(),
  };
}

async function answerOf(asked: ReturnType<typeof request>): Promise<Answer> {
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  asked.on("error", () => {});
  let body = "";
  response.setEncoding("utf8");
  for await (const part of response) body += String(part);
  return { status: response.statusCode ?? 0, body };
}
