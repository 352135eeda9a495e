import { request } from "node:http";

/** What came back from a host, through the gateway. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Reason of Stackling's own page, shown in place of the application. */
  readonly page?: string;
}

/** What was wrong with the connection, where nothing came back. */
export type Asked = Answer | { readonly none: string };

export interface Question {
  /** Of the gateway, on 127.0.0.1. */
  readonly port: number;
  readonly host: string;
  readonly path: string;
}

const PATIENCE_MS = 5_000;
const TEXT_MAX = 256 * 1024;
/** By its name it is one of the machines whose requests are no visits: it wakes nothing and keeps nothing awake. */
const AGENT = "stackling-oracle";

/** One GET on a connection of its own. Never rejects. */
export function askHost({ port, host, path }: Question): Promise<Asked> {
  return new Promise((resolve) => {
    const asked = request({
      host: "127.0.0.1",
      port,
      path,
      // Stackling's own pages say their reason in JSON only.
      headers: { host: `${host}:${port}`, "user-agent": AGENT, accept: "*/*, application/json;q=0.1" },
      agent: false,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    asked.on("error", (error: NodeJS.ErrnoException) => {
      resolve({ none: error.name === "AbortError" ? `no answer within ${PATIENCE_MS / 1000} s` : describe(error) });
    });
    asked.on("response", (response) => {
      const status = response.statusCode ?? 0;
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        if (text.length < TEXT_MAX) text += part;
      });
      response.on("error", (error) => resolve({ none: describe(error) }));
      response.on("end", () => resolve({ status, text, ...pageOf(status, text) }));
    });
    asked.end();
  });
}

function pageOf(status: number, text: string): { page?: string } {
  if (status !== 404 && status !== 502 && status !== 503) return {};
  try {
    const { error } = JSON.parse(text) as { error?: { reason?: unknown } };
    return typeof error?.reason === "string" ? { page: error.reason } : {};
  } catch {
    return {};
  }
}

function describe(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message;
}
