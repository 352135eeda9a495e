/** Reads and follows what the pods of a preview say. */
import { setTimeout as delay } from "node:timers/promises";
import type { V1Pod } from "@kubernetes/client-node";
import { redact } from "../local/redact.ts";
import type { LogLine, LogQuery, OperationContext } from "../ports.ts";
import { type Cluster, clusterError, connect } from "./client.ts";
import { openLog } from "./log-stream.ts";
import { podsOf } from "./look.ts";
import { namespaceName, SERVICE_LABEL, TASK_SUFFIX } from "./names.ts";
import type { KubernetesOptions } from "./options.ts";

/** New pods, and those whose container began anew, are looked for this often while a log is followed. */
const LOOK_MS = 2_000;

/** Tasks come as services of their names. Lines are redacted; a pod without a log yet has none. */
export async function* logs(
  { options, stack }: OperationContext<KubernetesOptions>,
  query: LogQuery,
): AsyncGenerator<LogLine> {
  const namespace = namespaceName(options.namespacePrefix, stack);
  try {
    const reading: Reading = { cluster: await connect(options), namespace, query, last: new Map() };
    for (const [service, pods] of await byService(reading)) {
      const lines = (await Promise.all(pods.map((pod) => readPod(reading, pod)))).flat();
      for (const line of query.tail > 0 ? lines.slice(-query.tail) : []) yield shown(service, line);
    }
    if (query.follow) yield* follow(reading);
  } catch (error) {
    if (!query.signal.aborted) throw clusterError(`reading the logs of namespace "${namespace}"`, error);
  }
}

interface Reading {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly query: LogQuery;
  /** Time of the last line of each pod, by its uid: the cluster's own clock, and no line twice. */
  readonly last: Map<string, string>;
}

/** A line with its time as the kubelet wrote it: docs, "kubectl logs --timestamps". */
interface Line {
  readonly time?: string;
  readonly text: string;
}

async function byService({ cluster, namespace, query }: Reading): Promise<[string, V1Pod[]][]> {
  const groups = Map.groupBy(await podsOf(cluster, namespace), serviceOf);
  return [...groups]
    .filter(([name]) => query.service === undefined || name === query.service)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

async function readPod({ cluster, query, last }: Reading, pod: V1Pod): Promise<Line[]> {
  const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
  const asked = {
    name,
    namespace,
    container: mainContainer(pod),
    timestamps: true,
    tailLines: Math.max(1, query.tail),
  };
  try {
    const text = String((await cluster.core.readNamespacedPodLog(asked)) ?? "");
    const lines = text.split("\n").flatMap((line) => (line === "" ? [] : [parse(line)]));
    const time = lines.at(-1)?.time;
    if (time !== undefined) last.set(uid, time);
    return lines;
  } catch {
    // It has not started, or its node is away: others still have something to say.
    return [];
  }
}

async function* follow(reading: Reading): AsyncGenerator<LogLine> {
  const { signal } = reading.query;
  const queue: LogLine[] = [];
  const streams = new Map<string, AbortController>();
  let told = Promise.withResolvers<void>();
  const push = (line: LogLine) => {
    queue.push(line);
    told.resolve();
  };
  try {
    for (let looked = Number.NEGATIVE_INFINITY; !signal.aborted; ) {
      if (performance.now() - looked > LOOK_MS) {
        looked = performance.now();
        // A cluster that is away for a moment ends nothing.
        await openNew(reading, streams, push).catch(() => undefined);
      }
      for (let line = queue.shift(); line; line = queue.shift()) yield line;
      told = Promise.withResolvers();
      if (queue.length === 0) await Promise.race([told.promise, pause(signal)]);
    }
  } finally {
    for (const stream of streams.values()) stream.abort();
  }
}

/** One stream per pod; one that ended is opened again behind its last line. */
async function openNew(
  reading: Reading,
  streams: Map<string, AbortController>,
  push: (line: LogLine) => void,
): Promise<void> {
  const { cluster, last } = reading;
  for (const [service, pods] of await byService(reading)) {
    for (const pod of pods) {
      const uid = pod.metadata?.uid ?? "";
      if (streams.has(uid) || pod.status?.phase === "Pending") continue;
      const since = last.get(uid);
      const stream = await openLog(cluster, pod, {
        container: mainContainer(pod),
        ...(since !== undefined && { sinceTime: since }),
        onLine(text) {
          const line = parse(text);
          if (line.time !== undefined && line.time <= (last.get(uid) ?? "")) return;
          if (line.time !== undefined) last.set(uid, line.time);
          push(shown(service, line));
        },
        onEnd: () => streams.delete(uid),
      });
      streams.set(uid, stream);
    }
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
}

function mainContainer({ spec }: V1Pod): string {
  return spec?.containers[0]?.name ?? "";
}

function serviceOf({ metadata }: V1Pod): string {
  const label = metadata?.labels?.[SERVICE_LABEL] ?? "";
  return label.endsWith(TASK_SUFFIX) ? label.slice(0, -TASK_SUFFIX.length) : label;
}

/** Times get nine digits behind the second, so that they can be compared as text. */
function parse(line: string): Line {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z (.*)$/s.exec(line);
  if (!match) return { text: line };
  const [, seconds = "", fraction = "", text = ""] = match;
  return { time: `${seconds}.${fraction.padEnd(9, "0")}Z`, text };
}

function shown(service: string, { time, text }: Line): LogLine {
  return { service, ...(time !== undefined && { at: `${time.slice(0, 23)}Z` }), text: redact(text) };
}
