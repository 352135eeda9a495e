/**
 * A part of AWS on loopback that plays what a test says: moto runs no containers, so what ECS tells
 * of tasks that start, fail and end is answered here, in the shapes of the vendor's own client types.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
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
    const answer = await reply(aws.answers, operation, request);
    response.writeHead(answer === undefined ? 400 : 200, { "Content-Type": "application/x-amz-json-1.1" });
    const denied = {
      __type: "AccessDeniedException",
      message: `User: arn:aws:iam::123456789012:user/test is not authorized to perform: ecs:${operation}`,
    };
    response.end(JSON.stringify(answer === undefined ? denied : wire(answer)));
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

async function reply(answers: Answers, operation: string, request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const handlers: Readonly<Record<string, ((input: never) => unknown) | undefined>> = { ...answers };
  return handlers[operation]?.(JSON.parse(Buffer.concat(chunks).toString() || "{}") as never);
}

/** The protocol writes times as seconds since the epoch: Smithy, "AWS JSON 1.1". */
function wire(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000;
  if (Array.isArray(value)) return value.map(wire);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, wire(inner)]));
}
