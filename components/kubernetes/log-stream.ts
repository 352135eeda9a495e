/**
 * One pod's log as it grows. Not by the library's `Log`: what it pipes from has no listener for errors,
 * so that ending it would end this process.
 */
import { request as requestHttp } from "node:http";
import { type RequestOptions, request as requestHttps } from "node:https";
import type { V1Pod } from "@kubernetes/client-node";
import type { Cluster } from "./client.ts";

export interface LogStreamOptions {
  readonly container: string;
  /** RFC 3339; from the beginning when absent. */
  readonly sinceTime?: string;
  /** Gets each whole line, with its time before it. */
  readonly onLine: (line: string) => void;
  /** Called once: it was aborted, refused, or the container ended. */
  readonly onEnd: () => void;
}

/** What has no end of line yet is kept up to so many characters. */
const LINE_MAX = 1_000_000;

/** Aborting the result ends it. */
export async function openLog(
  { config }: Pick<Cluster, "config">,
  { metadata }: V1Pod,
  { container, sinceTime, onLine, onEnd }: LogStreamOptions,
): Promise<AbortController> {
  const path = `/api/v1/namespaces/${metadata?.namespace}/pods/${metadata?.name}/log`;
  const url = new URL(`${config.getCurrentCluster()?.server}${path}`);
  const asked = { container, follow: "true", timestamps: "true", ...(sinceTime !== undefined && { sinceTime }) };
  url.search = new URLSearchParams(asked).toString();
  const end = new AbortController();
  const options: RequestOptions = { signal: end.signal };
  await config.applyToHTTPSOptions(options);
  const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, options);
  request.on("error", () => undefined);
  request.on("close", onEnd);
  request.on("response", (response) => {
    let rest = "";
    response.on("error", () => undefined);
    // A refusal is no line of the log; the container may not have begun.
    if (response.statusCode !== 200) return void response.resume();
    response.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = (lines.pop() ?? "").slice(-LINE_MAX);
      for (const line of lines) onLine(line);
    });
  });
  request.end();
  return end;
}
