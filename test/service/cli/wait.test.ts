import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { StacklingError } from "../../../components/errors.ts";
import { createClient } from "../../../service/cli/client.ts";
import { wait } from "../../../service/cli/verbs/wait.ts";
import { outcomeOf } from "../../../service/cli/waiting-for-commit.ts";
import { WrongUse } from "../../../service/wrong-use.ts";

const SHA = "a".repeat(40);
const NEWER = "b".repeat(40);
const LIVE = {
  ...{ key: "shop#1", stage: "Active", condition: "Ready", reason: "Healthy", message: "Serving." },
  ...{ commit: SHA, headSha: SHA, excerpt: [] },
  ...{ since: "2026-01-01T00:01:00.000Z", lastPushAt: "2026-01-01T00:00:00.000Z" },
  ...{
    url: "https://pr-1-shop.acme.dev",
    urls: { web: "https://pr-1-shop.acme.dev", api: "https://pr-1-api.acme.dev" },
  },
} as const;

describe("what comes of a commit", () => {
  const cases: readonly (readonly [string, object, boolean, string])[] = [
    ["it serves", {}, false, "ready"],
    ["it serves and sleeps", { reason: "Asleep" }, false, "ready"],
    ["it is being built", { condition: "Reconciling", reason: "Updating", commit: NEWER }, false, "waiting"],
    ["it is being checked", { condition: "Reconciling", reason: "Checking" }, false, "waiting"],
    ["its push is on its way", { headSha: NEWER, commit: NEWER }, false, "waiting"],
    ["a newer one came while it was waited for", { headSha: NEWER, commit: NEWER }, true, "Superseded"],
    ["a newer one came and it serves still", { headSha: NEWER }, false, "Superseded"],
    ["it failed", { condition: "Stalled", reason: "GateFailed", commit: NEWER }, false, "GateFailed"],
    [
      "the one before failed",
      { condition: "Stalled", reason: "GateFailed", since: "2026-01-01T00:00:00.000Z" },
      false,
      "waiting",
    ],
    [
      "what is said stays",
      { condition: "Stalled", reason: "Blocked", since: "2026-01-01T00:00:00.000Z" },
      true,
      "Blocked",
    ],
    ["somebody rolled back", { commit: NEWER, rolledBack: { sha: NEWER, by: "ada", at: "" } }, false, "RolledBack"],
    ["the forge is away before it was built", { reason: "Unreachable", commit: NEWER }, false, "waiting"],
    ["all is stopped", { reason: "Paused" }, false, "Paused"],
    ["it is gone", { stage: "Gone", reason: "Gone" }, false, "Gone"],
  ];
  for (const [what, more, wasHead, expected] of cases) {
    it(`is "${expected}" when ${what}`, () => {
      const outcome = outcomeOf(
        { ...LIVE, ...more } as Parameters<typeof outcomeOf>[0],
        SHA.slice(0, 12),
        wasHead ? 60_000 : undefined,
      );
      assert.equal(outcome.kind === "failed" ? outcome.reason : outcome.kind, expected);
    });
  }
});

describe("wait --sha", () => {
  it("waits for a preview that is not there yet, and prints where to test", async () => {
    const answers: object[] = [{ status: 404 }, { ...LIVE, condition: "Reconciling" }, LIVE];
    const server = createServer((_request, response) => {
      const answer = (answers.length > 1 ? answers.shift() : answers[0]) as { status?: number };
      const body = answer.status ? { reason: "NotFound", detail: "finding a preview: there is none" } : answer;
      response.writeHead(answer.status ?? 200, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const printed: string[] = [];
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const run = (options: Record<string, string | boolean>) =>
      wait({
        args: ["shop#1"],
        options: { timeout: "30", ...options },
        context: {
          environment: { STACKLING_URL: url, STACKLING_TOKEN: "x" },
          directory: "/",
          stdout: { write: (text: string) => printed.push(text) },
          stderr: { write: () => {} },
          version: "1",
        },
      });
    try {
      assert.equal(await run({ sha: SHA, json: true }), 0);
      assert.deepEqual(JSON.parse(printed.join("")), {
        ...{ key: "shop#1", url: LIVE.url, urls: LIVE.urls, commit: SHA, headSha: SHA },
        ...{ condition: "Ready", reason: "Healthy", message: "Serving." },
        bypass: { header: "x-stackling-bypass", cookie: "stackling-bypass" },
      });
      printed.splice(0);
      answers[0] = { ...LIVE, condition: "Stalled", reason: "GateFailed", message: "No.", excerpt: ["why"] };
      assert.equal(await run({ sha: SHA }), 1);
      assert.match(printed.join(""), /GateFailed.*No\.\n {2}why\n/);
      await assert.rejects(run({ sha: "main" }), WrongUse);
    } finally {
      server.close();
    }
  });
});

/** A service that answers a look at a preview by what is said last; `hold`: not at all. */
async function service(answerOf: (look: number) => object | "hold" | "drop") {
  let looks = 0;
  const server = createServer((request, response) => {
    looks += 1;
    const answer = answerOf(looks);
    if (answer === "drop") request.socket.destroy();
    else if (answer !== "hold") response.writeHead(200).end(JSON.stringify(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    client: createClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: "x" }),
    looks: () => looks,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe("waiting for a service that is away", () => {
  it("ends with its time where the service takes the connection and never answers", async () => {
    const { client, looks, close } = await service(() => "hold");
    try {
      const passes = (error: unknown) => error instanceof StacklingError && error.reason === "ServiceAway";
      await assert.rejects(
        client.waitFor("shop#1", () => true, { timeoutMs: 100, passes }),
        {
          reason: "ServiceAway",
          userMessage: new RegExp(`^calling the service at ${client.url}: it does not answer within 1 s$`),
        },
      );
      assert.ok(looks() > 0);
    } finally {
      close();
    }
  });

  it("ends at once when it is called off in the middle of a look", async () => {
    const stopped = new AbortController();
    const { client, close } = await service(() => {
      stopped.abort();
      return "hold";
    });
    try {
      const waiting = client.waitFor("shop#1", () => true, {
        timeoutMs: 60_000,
        signal: stopped.signal,
        passes: () => true,
      });
      await assert.rejects(waiting, { name: "AbortError" });
    } finally {
      close();
    }
  });

  it("goes on once it answers again, also for no commit in particular", async () => {
    const { client, close } = await service((look) => (look < 3 ? "drop" : LIVE));
    const printed: string[] = [];
    const run = (options: Record<string, string | boolean>) =>
      wait({
        args: ["shop#1"],
        options: { timeout: "30", ...options },
        context: {
          environment: { STACKLING_URL: client.url, STACKLING_TOKEN: "x" },
          directory: "/",
          stdout: { write: (text: string) => printed.push(text) },
          stderr: { write: () => {} },
          version: "1",
        },
      });
    try {
      assert.equal(await run({}), 0);
      assert.match(printed.join(""), /shop#1 is live/);
    } finally {
      close();
    }
  });
});
