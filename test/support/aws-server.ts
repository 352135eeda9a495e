/**
 * A part of AWS on loopback that plays what a test says: moto runs no containers, so what ECS tells
 * of tasks that start, fail and end is answered here, in the shapes of the vendor's own client types.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type * as logs from "@aws-sdk/client-cloudwatch-logs";
import type * as ecs from "@aws-sdk/client-ecs";
import type * as balancing from "@aws-sdk/client-elastic-load-balancing-v2";

/** By the name of the operation; one that is missing is answered as denied. */
export interface Answers {
  DescribeServices?(input: ecs.DescribeServicesRequest): ecs.DescribeServicesResponse;
  UpdateService?(input: ecs.UpdateServiceRequest): ecs.UpdateServiceResponse;
  ListTasks?(input: ecs.ListTasksRequest): ecs.ListTasksResponse;
  DescribeTasks?(input: ecs.DescribeTasksRequest): ecs.DescribeTasksResponse;
  DescribeClusters?(input: ecs.DescribeClustersRequest): ecs.DescribeClustersResponse;
  RunTask?(input: ecs.RunTaskRequest): ecs.RunTaskResponse;
  GetLogEvents?(input: logs.GetLogEventsRequest): logs.GetLogEventsResponse;
  DescribeLogStreams?(input: logs.DescribeLogStreamsRequest): logs.DescribeLogStreamsResponse;
  DescribeListeners?(input: balancing.DescribeListenersInput): balancing.DescribeListenersOutput;
}

export interface AwsServer {
  readonly url: string;
  /** Names of operations, in order. */
  readonly asked: readonly string[];
  /** What the next requests get. */
  answers: Answers;
  /** Address that answers what `answers` does not know, such as moto's. */
  elsewhere?: string;
  close(): Promise<void>;
}

export async function startAwsServer(answers: Answers = {}): Promise<AwsServer> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const operation =
      String(request.headers["x-amz-target"] ?? request.url)
        .split(".")
        .at(-1) ?? "";
    asked.push(operation);
    const body = await bodyOf(request);
    const handlers: Readonly<Record<string, Handler | undefined>> = { ...aws.answers };
    const handler = handlers[operation];
    if (!handler && aws.elsewhere !== undefined) return void forward(aws.elsewhere, request, body, response);
    const [status, answer] = reply(handler ?? denied(operation), body);
    response.writeHead(status, { "Content-Type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const aws: AwsServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answers,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return aws;
}

/** Thrown by an answer: what AWS would say. */
export class AwsFault extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

type Handler = (input: never) => unknown;

function reply(handler: Handler, body: Buffer): [status: number, answer: unknown] {
  try {
    return [200, wire(handler(JSON.parse(body.toString() || "{}") as never))];
  } catch (fault) {
    if (!(fault instanceof AwsFault)) throw fault;
    return [400, { __type: fault.name, message: fault.message }];
  }
}

function denied(operation: string): Handler {
  return () => {
    const user = "arn:aws:iam::123456789012:user/test";
    throw new AwsFault("AccessDeniedException", `User: ${user} is not authorized to perform: ecs:${operation}`);
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function forward(url: string, request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(
      ([name]) => !/^(host|connection|content-length|transfer-encoding)$/.test(name),
    ),
  ) as Record<string, string>;
  const hasBody = request.method !== "GET" && request.method !== "HEAD";
  const answer = await fetch(new URL(request.url ?? "/", url), {
    method: request.method,
    headers,
    ...(hasBody && { body }),
  });
  response.writeHead(answer.status, { "Content-Type": answer.headers.get("content-type") ?? "" });
  response.end(Buffer.from(await answer.arrayBuffer()));
}

/** The protocol writes times as seconds since the epoch: Smithy, "AWS JSON 1.1". */
function wire(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000;
  if (Array.isArray(value)) return value.map(wire);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, wire(inner)]));
}
