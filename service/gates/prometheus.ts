/** Asks a Prometheus server of the operator's. API: https://prometheus.io/docs/prometheus/latest/querying/api/ */
import { z } from "zod";
import type { PrometheusConfig } from "../config/types.ts";
import { resolveSecret } from "../secret-reference.ts";

const TIMEOUT_MS = 15_000;
const ANSWER_BYTES = 1024 * 1024;

const sample = z.tuple([z.number(), z.string()]);

const answer = z.discriminatedUnion("status", [
  z.object({
    status: z.literal("success"),
    data: z.discriminatedUnion("resultType", [
      z.object({ resultType: z.literal("vector"), result: z.array(z.object({ value: sample })) }),
      z.object({ resultType: z.literal("scalar"), result: sample }),
      z.object({ resultType: z.literal("matrix"), result: z.unknown() }),
      z.object({ resultType: z.literal("string"), result: z.unknown() }),
    ]),
  }),
  z.object({ status: z.literal("error"), errorType: z.string(), error: z.string() }),
]);

/** Greatest of the values; undefined: no data. Rejects with the rest of a sentence where the server or the query fails. */
export async function queryShare(
  server: PrometheusConfig,
  query: string,
  { signal, resolve = resolveSecret }: { readonly signal: AbortSignal; readonly resolve?: typeof resolveSecret },
): Promise<number | undefined> {
  const token = server.token && (await resolve(server.token));
  const response = await fetch(`${server.url.replace(/\/+$/, "")}/api/v1/query`, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      accept: "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: new URLSearchParams({ query, timeout: `${TIMEOUT_MS / 1000 - 5}s` }),
    // The token is for this server alone.
    redirect: "error",
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new Error("Prometheus does not answer", { cause });
  });
  const text = await readText(response);
  const read = answer.safeParse(parse(text));
  if (!read.success) throw new Error(`Prometheus answered ${response.status}, with nothing that is known`);
  if (read.data.status === "error") throw new Error(`Prometheus refuses the query: ${oneLine(read.data.error)}`);
  const { data } = read.data;
  if (data.resultType === "scalar") return greatest([data.result[1]]);
  if (data.resultType === "vector") return greatest(data.result.map(({ value: [, value] }) => value));
  throw new Error(`the query gives a ${data.resultType}, and must give a number`);
}

/** NaN is 0 of 0. */
function greatest(values: readonly string[]): number | undefined {
  const known = values.map(numberOf).filter((value) => !Number.isNaN(value));
  return known.length === 0 ? undefined : Math.max(...known);
}

function numberOf(text: string): number {
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  return text === "-Inf" ? Number.NEGATIVE_INFINITY : Number(text);
}

async function readText({ body }: Response): Promise<string> {
  if (!body) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES) throw new Error("Prometheus answers with too much; aggregate the query");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").slice(0, 200);
}
