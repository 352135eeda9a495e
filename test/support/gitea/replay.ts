/** Answers of Gitea 1.26.0 as they were recorded, given again on loopback; any of them can be broken. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Answer {
  readonly status?: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Replay {
  readonly url: string;
  /** `METHOD /path?query` below `/api/v1/repos/acme/shop`, or below `/api/v1` where it is none of it; oldest first. */
  readonly asked: readonly string[];
  /** Bodies of what was written, by the same words. */
  readonly written: readonly (readonly [what: string, body: unknown])[];
  /** The first match of `METHOD /path?query` answers so from now on. */
  answer(what: RegExp, answer: Answer): void;
  stop(): Promise<void>;
}

/** A recorded answer's text. */
export function recordedAnswer(name: string): string {
  return readFileSync(new URL(`../../fixtures/gitea/api/${name}.json`, import.meta.url), "utf8");
}

export async function startReplay(): Promise<Replay> {
  const asked: string[] = [];
  const written: [string, unknown][] = [];
  const wishes: { readonly what: RegExp; readonly answer: Answer }[] = [];
  const list = (name: string): Answer => ({ body: `[${recordedAnswer(name)}]`, headers: { "x-total-count": "1" } });
  const recorded: readonly (readonly [RegExp, Answer])[] = [
    [/^GET \/version$/, { body: '{"version":"1.26.0"}' }],
    [/^GET \/user$/, { body: '{"login":"stackling"}' }],
    [/^GET $/, { body: recordedAnswer("repository") }],
    [/^GET \/pulls\/1$/, { body: recordedAnswer("pull") }],
    [/^GET \/pulls\?/, list("pull")],
    [/^GET \/pulls\/1\/files/, { body: recordedAnswer("files"), headers: { "x-total-count": "1" } }],
    [/^GET \/git\/refs\/pull\/1\/head$/, { body: recordedAnswer("refs") }],
    [/^GET \/issues\/1\/comments/, { body: recordedAnswer("comments") }],
    [/^GET \/collaborators\/ada\/permission$/, { body: recordedAnswer("permission") }],
    [/^GET \/assignees$/, { body: recordedAnswer("assignees") }],
    [/^GET \/contents\/preview.yaml\?ref=main$/, { body: recordedAnswer("contents") }],
    [/^GET \/commits\?sha=main/, { body: recordedAnswer("commits") }],
    [/^GET \/hooks/, { body: recordedAnswer("hooks") }],
    [/^POST \/issues\/1\/comments$/, { status: 201, body: '{"id":77}' }],
    [/^PATCH \/issues\/comments\/77$/, { body: '{"id":77}' }],
    [/^POST \/statuses\//, { status: 201, body: "{}" }],
    [/^POST \/hooks$/, { status: 201, body: "{}" }],
  ];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const path = (request.url ?? "").replace(/^\/api\/v1(\/repos\/acme\/shop)?/, "");
    const what = `${request.method} ${path}`;
    asked.push(what);
    if (body !== "") written.push([what, JSON.parse(body)]);
    const wish = wishes.find((one) => one.what.test(what))?.answer;
    const found = wish ?? recorded.find(([matches]) => matches.test(what))?.[1] ?? { status: 404, body: "{}" };
    response.writeHead(found.status ?? 200, { "content-type": "application/json", ...found.headers });
    response.end(found.body ?? "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    written,
    answer(what, answer) {
      wishes.unshift({ what, answer });
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
