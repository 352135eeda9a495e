/**
 * Plays an API server on loopback with recorded answers: for what no cluster without containers can give (logs),
 * and for failures that none gives when asked. Shapes are those of `@kubernetes/client-node`'s types.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type KubernetesOptions, options } from "../../../components/kubernetes/options.ts";

type Answer = object | string | ((request: IncomingMessage, response: ServerResponse, url: URL) => void);

export interface ClusterServer {
  readonly options: KubernetesOptions;
  /** By `GET /path` without its query; replaces what was answered before. */
  answer(what: string, answer: Answer): void;
  /** What was asked so far, as `GET /path?query`. */
  readonly asked: readonly string[];
  /** Answers nobody any more. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

/** Answers 404 for all it was not told of. */
export async function startClusterServer(): Promise<ClusterServer> {
  const answers = new Map<string, Answer>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://cluster");
    asked.push(`${request.method} ${url.pathname}${url.search}`);
    const answer = answers.get(`${request.method} ${url.pathname}`);
    if (typeof answer === "function") return answer(request, response, url);
    if (answer === undefined) return failWith(response, 404, "NotFound", `${url.pathname} not found`);
    const text = typeof answer === "string";
    response.writeHead(200, { "content-type": text ? "text/plain" : "application/json" });
    response.end(text ? answer : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const folder = await mkdtemp(join(tmpdir(), "stackling-cluster-"));
  const file = join(folder, "kubeconfig");
  const { port } = server.address() as AddressInfo;
  await writeFile(file, kubeconfig(`http://127.0.0.1:${port}`));
  return {
    options: options.parse({ kubeconfig: { file } }),
    answer: (what, answer) => void answers.set(what, answer),
    asked,
    stop,
    async close() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** As an API server refuses: docs, "Kubernetes API Concepts", `Status`. */
export function failWith(response: ServerResponse, code: number, reason: string, message: string): void {
  response.writeHead(code, { "content-type": "application/json" });
  response.end(JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", reason, message, code }));
}

export function kubeconfig(server: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "recorded", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "tester", user: { token: "not-a-real-token" } }],
    contexts: [{ name: "recorded", context: { cluster: "recorded", user: "tester" } }],
    "current-context": "recorded",
  });
}
