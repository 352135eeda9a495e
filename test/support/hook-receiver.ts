/** Somebody's end of an outgoing webhook, that answers as it is told. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** What it was answered. */
  readonly status: number;
}

export interface HookReceiver {
  readonly received: Received[];
  readonly url: string;
  /** From now on, that status. */
  answer(next: number): void;
  close(): void;
}

export async function startHookReceiver(): Promise<HookReceiver> {
  const received: Received[] = [];
  let status = 204;
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", () => {
      received.push({ headers: request.headers, body, status });
      response.writeHead(status, status === 302 ? { location: "/elsewhere" } : {}).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    received,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=hidden`,
    answer: (next) => {
      status = next;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
