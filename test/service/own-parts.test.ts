/** Parts of servers that previews share, in the spec of who may have them and of who may not. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseApplication } from "../../service/config/application.ts";
import { NO_INTENTS } from "../../service/intents.ts";
import { buildSpec, type SpecInput } from "../../service/spec-builder.ts";
import { SHA, shop } from "../support/reconcile-world.ts";

const choice = { driver: "x", options: {} };
const application = parseApplication(
  `services:
  web: {command: x, env: {CACHE: "\${secrets.EXTERNAL_CACHE_URL}", LEVEL: info}}
external:
  cache: {mode: own, from: sessions, values: {REDIS_URL: url}}
  events: {mode: own, values: {BROKERS: brokers}, topics: [orders]}
`,
  { file: "preview.yaml", limits: { memoryMiB: 2048, cpu: 4, services: 4 } },
);
const input: SpecInput = {
  config: { domain: "localhost:4000", scheme: "http" },
  repository: shop,
  target: {
    name: "local",
    runs: "source",
    service: choice,
    dns: choice,
    secrets: choice,
    backing: { sessions: { driver: "redis", options: { url: { env: "A" } } }, events: choice, unused: choice },
    gives: { sessions: ["url"], events: ["brokers"], unused: [] },
  },
  application,
  key: { repository: "shop", number: 42 },
  gitBranch: "feature",
  commit: SHA.a,
  cloneUrl: "/srv/shop",
  owner: "ada",
  createdAt: "2026-03-01T12:00:00.000Z",
  intents: NO_INTENTS,
};

describe("the spec of a preview with parts of servers that are shared", () => {
  it("holds the parts, and of the target's servers those that it has parts of", () => {
    const spec = buildSpec(input);
    assert.deepEqual(spec.backing, {
      cache: { from: "sessions", topics: [] },
      events: { from: "events", topics: ["orders"] },
    });
    assert.deepEqual(Object.keys(spec.target.backing ?? {}), ["sessions", "events"]);
    assert.equal(spec.services[0]?.environment.REDIS_URL, "${secrets.EXTERNAL_CACHE_URL}");
  });

  it("has none of it for a pull request that is not trusted, nor a variable that would hold it", () => {
    const spec = buildSpec({ ...input, untrusted: { isolated: true } });
    assert.deepEqual([spec.backing, spec.target.backing], [undefined, undefined]);
    assert.deepEqual(spec.services[0]?.environment, { LEVEL: "info" });
  });
});
