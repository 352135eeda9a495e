/** Reads and follows what the pods of a preview say. */
import { PassThrough } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { Log, type V1Pod } from "@kubernetes/client-node";
import { redact } from "../local/redact.ts";
import type { LogLine, LogQuery, OperationContext } from "../ports.ts";
import { type Cluster, clusterError, connect } from "./client.ts";
import { podsOf } from "./look.ts";
import { namespaceName, SERVICE_LABEL, TASK_SUFFIX } from "./names.ts";
import type { KubernetesOptions } from "./options.ts";

/** New pods are looked for this often while a log is followed. */
const LOOK_MS = 2_000;

/** Tasks come as services of their names. Lines are redacted; a pod without a log yet has none. */
export async function* logs(
  { options, stack }: OperationContext<KubernetesOptions>,
  query: LogQuery,
): AsyncGenerator<LogLine> {
  const namespace = namespaceName(options.namespacePrefix, stack);
  const action = `reading the logs of namespace "${namespace}"`;
  try {
    const cluster = await connect(options);
    for (const [service, pods] of await byService(cluster, namespace, query.service)) {
      const lines = (await Promise.all(pods.map((pod) => readPod(cluster, pod, service, query.tail)))).flat();
      yield* query.tail > 0 ? lines.slice(-query.tail) : [];
    }
    if (query.follow) yield* follow(cluster, namespace, query);
  } catch (error) {
    if (!query.signal.aborted) throw clusterError(action, error);
  }
}

async function byService(cluster: Cluster, namespace: string, service: string | undefined) {
  const pods = await podsOf(cluster, namespace);
  const groups = Map.groupBy(pods, serviceOf);
  return [...groups].filter(([name]) => service === undefined || name === service).sort(([a], [b]) => (a < b ? -1 : 1));
}

async function readPod({ core }: Cluster, pod: V1Pod, service: string, tail: number): Promise<LogLine[]> {
  const { name = "", namespace = "" } = pod.metadata ?? {};
  const container = mainContainer(pod);
  if (tail <= 0) return [];
  try {
    const text = await core.readNamespacedPodLog({ name, namespace, container, tailLines: tail, timestamps: true });
    return linesOf(String(text ?? "")).map((line) => parseLine(service, line));
  } catch {
    // It has not started, or its node is away: others still have something to say.
    return [];
  }
}

/** One stream per pod, those of new pods added as they appear. */
async function* follow(cluster: Cluster, namespace: string, { service, signal }: LogQuery): AsyncGenerator<LogLine> {
  const queue: LogLine[] = [];
  const streams = new Map<string, AbortController>();
  let wake = () => {};
  const first = new Date();
  const began = first.toISOString();
  let looked = 0;
  try {
    while (!signal.aborted) {
      if (performance.now() - looked > LOOK_MS || looked === 0) {
        looked = performance.now();
        for (const [name, pods] of await byService(cluster, namespace, service)) {
          for (const pod of pods) {
            const uid = pod.metadata?.uid ?? "";
            if (streams.has(uid) || pod.status?.phase === "Pending") continue;
            const push = (line: string) => {
              queue.push(parseLine(name, line));
              wake();
            };
            streams.set(uid, await open(cluster, pod, began, push));
          }
        }
      }
      while (queue.length > 0) yield queue.shift() as LogLine;
      const told = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (queue.length === 0) await Promise.race([told, delay(LOOK_MS, undefined, { signal }).catch(() => {})]);
    }
  } finally {
    for (const stream of streams.values()) stream.abort();
  }
}

async function open(
  { config }: Cluster,
  pod: V1Pod,
  sinceTime: string,
  push: (line: string) => void,
): Promise<AbortController> {
  const { name = "", namespace = "" } = pod.metadata ?? {};
  const stream = new PassThrough();
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) push(line);
  });
  stream.on("error", () => {});
  const options = { follow: true, timestamps: true, sinceTime };
  return new Log(config).log(namespace, name, mainContainer(pod), stream, options);
}

function mainContainer({ spec }: V1Pod): string {
  return spec?.containers[0]?.name ?? "";
}

function serviceOf({ metadata }: V1Pod): string {
  const label = metadata?.labels?.[SERVICE_LABEL] ?? "";
  return label.endsWith(TASK_SUFFIX) ? label.slice(0, -TASK_SUFFIX.length) : label;
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** The kubelet puts the time before each line, in nanoseconds: docs, "kubectl logs --timestamps". */
function parseLine(service: string, line: string): LogLine {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z (.*)$/s.exec(line);
  if (!match) return { service, text: redact(line) };
  const [, seconds = "", fraction = ".000", text = ""] = match;
  return { service, at: `${seconds}${fraction.padEnd(4, "0").slice(0, 4)}Z`, text: redact(text) };
}
