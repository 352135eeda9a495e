import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import express from "express";
import { StacklingError } from "../../../components/errors.ts";
import { createReadiness, type ReadinessChecks } from "../../../service/api/health.ts";
import { keptApp } from "../../../service/forges/github-kept.ts";

/** Nothing was made on the page yet. */
const noApp = keptApp({
  read: async () => undefined,
  server: "https://github.com",
  newAppUrl: "https://previews.example/github",
});

describe("/readyz", () => {
  it("is ready for the page on which an admin makes the forge's App, which nothing else serves", async () => {
    assert.deepEqual(await ask({ store: async () => {}, "forge:github": async () => void (await noApp.current()) }), [
      200,
      { ready: true, away: [] },
    ]);
  });

  it("is not ready while a forge that is connected is away, nor for a page where the store is", async () => {
    const away = async () => {
      throw new StacklingError({ reason: "Unreachable", userMessage: "asking GitHub: it does not answer" });
    };
    const made = async () => void (await noApp.current());
    const [status, answer] = await ask({ store: away, "forge:github": away, "forge:other": made });
    assert.equal(status, 503);
    assert.deepEqual(answer.away, ["store", "forge:github"]);
  });
});

async function ask(checks: ReadinessChecks): Promise<[number, { readonly away: readonly string[] }]> {
  const server = express()
    .get(
      "/readyz",
      createReadiness(checks, () => {}),
    )
    .listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`);
    return [response.status, (await response.json()) as { away: readonly string[] }];
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
