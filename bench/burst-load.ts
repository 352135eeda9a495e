/** Process that sends a burst of signed deliveries, made before the clock starts, and tells how they were answered. */
import { createHmac } from "node:crypto";
import { Agent, request } from "node:http";
import process from "node:process";

export interface Burst {
  readonly port: number;
  readonly repository: string;
  readonly secret: string;
  readonly deliveries: number;
  readonly pullRequests: number;
  readonly bodyBytes: number;
  readonly connections: number;
  /** Begin of every delivery's id. */
  readonly prefix: string;
  /** Gets SIGKILL the moment the last answer is here. */
  readonly kill?: number;
}

export interface BurstOutcome {
  readonly accepted: number;
  readonly ms: number;
  readonly p99Ms: number;
}

interface Delivery {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string | number>>;
}

const burst = JSON.parse(process.argv[2] ?? "") as Burst;
const agent = new Agent({ keepAlive: true, maxSockets: burst.connections });
const deliveries = Array.from({ length: burst.deliveries }, (_, index) => prepare(index));
const latencies: number[] = [];
let accepted = 0;
let next = 0;

const began = performance.now();
await Promise.all(Array.from({ length: burst.connections }, talk));
const ms = performance.now() - began;
const sorted = latencies.sort((a, b) => a - b);
const outcome: BurstOutcome = { accepted, ms, p99Ms: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN };
process.send?.(outcome);
agent.destroy();
process.disconnect?.();

async function talk(): Promise<void> {
  for (let delivery = deliveries[next++]; delivery; delivery = deliveries[next++]) {
    const sentAt = performance.now();
    if (await send(delivery)) accepted += 1;
    latencies.push(performance.now() - sentAt);
    if (latencies.length === deliveries.length && burst.kill !== undefined) process.kill(burst.kill, "SIGKILL");
  }
}

function send({ body, headers }: Delivery): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request(
      { agent, host: "127.0.0.1", port: burst.port, path: "/webhooks/github", method: "POST", headers },
      (response) => {
        response.resume();
        response.once("end", () => resolve((response.statusCode ?? 0) < 300));
      },
    );
    sent.once("error", () => resolve(false));
    sent.end(body);
  });
}

/** As much of GitHub's payload as anybody reads, filled up to its usual size. */
function prepare(index: number): Delivery {
  const number = (index % burst.pullRequests) + 1;
  const payload = { action: "synchronize", number, pull_request: { number, title: `Change ${number}`, body: "" } };
  const whole = { ...payload, repository: { id: 1, full_name: burst.repository }, sender: { login: "ada" } };
  whole.pull_request.body = "x".repeat(Math.max(0, burst.bodyBytes - JSON.stringify(whole).length));
  const body = Buffer.from(JSON.stringify(whole));
  return {
    body,
    headers: {
      "Content-Type": "application/json",
      "Content-Length": body.length,
      "X-GitHub-Event": "pull_request",
      "X-GitHub-Delivery": `${burst.prefix}-${index}`,
      "X-Hub-Signature-256": `sha256=${createHmac("sha256", burst.secret).update(body).digest("hex")}`,
    },
  };
}
