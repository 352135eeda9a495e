/** Pulumi ESC's API on loopback as far as `@pulumi/esc-sdk` is used: read a definition, open a session, read it. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface EscServer {
  readonly url: string;
  /** `METHOD /path` of every call, in order. */
  readonly calls: readonly string[];
  close(): Promise<void>;
}

export const ESC_TOKEN = "pul-secret-of-the-test";
const SESSION = "session-1";

/** One environment, `acme/previews/shop`, whose values are as an opened one has them. */
export async function startEscServer(values: Readonly<Record<string, unknown>>): Promise<EscServer> {
  const calls: string[] = [];
  const server = createServer((request, response) => {
    const call = `${request.method} ${request.url}`;
    calls.push(call);
    const authorized = request.headers.authorization === `token ${ESC_TOKEN}`;
    const path = "/api/esc/environments/acme/previews/shop";
    const answers: Readonly<Record<string, unknown>> = {
      [`GET ${path}`]: "values: {}\n",
      [`POST ${path}/open`]: { id: SESSION },
      [`GET ${path}/open/${SESSION}`]: { properties: values },
    };
    const answer = authorized ? answers[call] : undefined;
    const status = authorized ? (answer === undefined ? 404 : 200) : 401;
    const isText = typeof answer === "string";
    response.writeHead(status, { "content-type": isText ? "application/x-yaml" : "application/json" });
    response.end(isText ? answer : JSON.stringify(answer ?? { code: status, message: "no" }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A value as ESC writes it: with where it comes from. */
export function escValue(value: unknown, isSecret = false): object {
  const trace = { def: { environment: "acme/previews/shop", begin: {}, end: {} } };
  return { value, ...(isSecret && { secret: true }), trace };
}
