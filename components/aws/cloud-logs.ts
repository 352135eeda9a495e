/** Log lines of a preview from CloudWatch. */
import { setTimeout as delay } from "node:timers/promises";
import {
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  type LogStream,
} from "@aws-sdk/client-cloudwatch-logs";
import { redact } from "../local/redact.ts";
import type { LogLine, LogQuery, OperationContext } from "../ports.ts";
import type { Account } from "./account.ts";
import { type Clients, createClients } from "./clients.ts";
import { ask } from "./errors.ts";
import { unlessMissing } from "./kinds.ts";
import { logGroupName } from "./names.ts";

/** Tasks of one service that are looked at for its last lines. */
const NEWEST_STREAMS = 5;
const FOLLOW_MS = 2_000;

/** The last lines of each service, oldest first; then, where asked, what is written meanwhile. */
export async function* readLogs(
  { options, stack }: OperationContext<Account>,
  query: LogQuery,
): AsyncGenerator<LogLine> {
  const clients = createClients(options);
  const logGroup = logGroupName(stack);
  const began = Date.now();
  const lines = await ask("reading the logs", () => lastLines(clients, logGroup, query));
  for (const { line } of lines) yield line;
  const newest = lines.at(-1);
  if (query.follow) yield* follow(clients, logGroup, query, newest ? newest.at + 1 : began);
}

interface Stamped {
  readonly at: number;
  readonly line: LogLine;
}

async function lastLines({ logs }: Clients, logGroupName: string, { service, tail }: LogQuery): Promise<Stamped[]> {
  const found = await streams(logs, logGroupName, service);
  const lines = await Promise.all(
    [...found].map(async ([name, newest]) => {
      const answers = await Promise.all(
        newest.map(({ logStreamName }) =>
          logs.send(
            new GetLogEventsCommand({
              logGroupName,
              logStreamName,
              limit: Math.min(tail, 10_000),
              startFromHead: false,
            }),
          ),
        ),
      );
      const events = answers.flatMap(({ events = [] }) => events).map((event) => stamped(name, event));
      return events.sort((a, b) => a.at - b.at).slice(-tail);
    }),
  );
  return lines.flat().sort((a, b) => a.at - b.at);
}

/** Newest streams by service: their names are `<service>/<container>/<task>`. */
async function streams(
  logs: Clients["logs"],
  logGroupName: string,
  service: string | undefined,
): Promise<Map<string, LogStream[]>> {
  const byService = new Map<string, LogStream[]>();
  let nextToken: string | undefined;
  do {
    const question = new DescribeLogStreamsCommand({
      logGroupName,
      nextToken,
      ...(service === undefined ? {} : { logStreamNamePrefix: `${service}/` }),
    });
    const answer = await unlessMissing(logs.send(question), undefined);
    for (const stream of answer?.logStreams ?? []) {
      const name = serviceOf(stream.logStreamName);
      if (name !== undefined) byService.set(name, [...(byService.get(name) ?? []), stream]);
    }
    nextToken = answer?.nextToken;
  } while (nextToken !== undefined);
  for (const [name, all] of byService) {
    all.sort((a, b) => (b.lastEventTimestamp ?? b.creationTime ?? 0) - (a.lastEventTimestamp ?? a.creationTime ?? 0));
    byService.set(name, all.slice(0, NEWEST_STREAMS));
  }
  return byService;
}

/** Asks again and again; an event seen once is not told twice. */
async function* follow(
  { logs }: Clients,
  logGroupName: string,
  { service, signal }: LogQuery,
  from: number,
): AsyncGenerator<LogLine> {
  let since = from;
  let seen = new Set<string>();
  while (!signal.aborted) {
    const question = new FilterLogEventsCommand({
      logGroupName,
      startTime: since,
      ...(service === undefined ? {} : { logStreamNamePrefix: `${service}/` }),
    });
    const answer = await ask("following the logs", () => unlessMissing(logs.send(question), undefined));
    const fresh = (answer?.events ?? []).filter(({ eventId = "" }) => !seen.has(eventId));
    for (const { logStreamName, ...event } of fresh) {
      const name = serviceOf(logStreamName);
      if (name !== undefined && (service ?? name) === name) yield stamped(name, event).line;
    }
    const latest = Math.max(since, ...fresh.map(({ timestamp = 0 }) => timestamp));
    if (latest > since) seen = new Set();
    for (const { eventId = "", timestamp = 0 } of fresh) if (timestamp === latest) seen.add(eventId);
    since = latest;
    await delay(FOLLOW_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Marks of what was done are streams too, but of no service. */
function serviceOf(stream: string | undefined): string | undefined {
  return /^([a-z][a-z0-9-]*)\//.exec(stream ?? "")?.[1];
}

function stamped(service: string, { timestamp = 0, message = "" }: { timestamp?: number; message?: string }): Stamped {
  return { at: timestamp, line: { service, at: new Date(timestamp).toISOString(), text: redact(message.trimEnd()) } };
}
