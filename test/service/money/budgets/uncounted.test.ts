import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PreviewSpec } from "../../../../infra/spec.ts";
import { type CostsConfig, defaultCosts } from "../../../../service/config/costs.ts";
import { together, uncountedFindings, uncountedOf } from "../../../../service/money/budgets/uncounted.ts";
import type { CostedSpec } from "../../../../service/money/hourly.ts";
import { pricesFor } from "../../../../service/money/load-prices.ts";
import { aPreview } from "../../../support/previews.ts";

const choice = (driver: string, options: Record<string, unknown> = {}) => ({ driver, options });
const ON = {
  local: { name: "here", service: choice("local"), dns: choice("gateway"), secrets: choice("local") },
  kubernetes: { name: "eu", service: choice("kubernetes"), dns: choice("gateway"), secrets: choice("local") },
  ecs: {
    ...{ name: "aws", dns: choice("gateway"), secrets: choice("aws", { region: "us-east-1" }) },
    service: choice("ecs", { region: "xx-nowhere-1", edge: { direct: {} } }),
  },
} satisfies Readonly<Record<string, CostedSpec["target"]>>;

const service: CostedSpec["services"][number] = {
  ...{
    name: "web",
    kind: "web",
    directory: ".",
    startTimeoutSeconds: 60,
    environment: {},
    dependsOn: [],
    sidecars: [],
  },
  ...{ memoryMiB: 512, cpu: 0.25 },
};
const specOn = (target: CostedSpec["target"]): CostedSpec => ({
  ...{ target, services: [service], urls: {}, generatedSecrets: [], grantedSecrets: [] },
});
const lackingOn = (target: CostedSpec["target"], more: Partial<CostsConfig> = {}) => {
  const costs = { ...defaultCosts, ...more };
  const preview = aPreview({ status: { live: specOn(target) as PreviewSpec } });
  return uncountedOf(preview, pricesFor({ costs }), costs);
};
const credentials = { accessKeyId: { env: "PATH" }, secretAccessKey: { env: "PATH" } };

describe("what no budget can count", () => {
  it("has neither a price nor a bill that is read", () => {
    assert.deepEqual(lackingOn(ON.local), []);
    assert.deepEqual(lackingOn(ON.kubernetes), ["cpu", "memory"]);
    assert.deepEqual(lackingOn(ON.kubernetes, { kubernetes: { cpuHour: 0.03 } }), ["memory"]);
    assert.deepEqual(lackingOn(ON.kubernetes, { opencost: { eu: { url: "http://x", currency: "USD" } } }), []);
  });

  it("is on AWS what no region's list has, unless the bill is read", () => {
    assert.deepEqual(lackingOn(ON.ecs), ["cpu", "memory"]);
    assert.deepEqual(lackingOn(ON.ecs, { costExplorer: { credentials, callsPerDay: 1 } }), []);
  });

  it("is also that of one whose first version is on its way, and nothing of one that was never begun", () => {
    const prices = pricesFor({});
    const waiting = aPreview({ status: { expected: specOn(ON.kubernetes) } });
    assert.deepEqual(uncountedOf(waiting, prices, undefined), ["cpu", "memory"]);
    assert.deepEqual(uncountedOf(aPreview(), prices, undefined), []);
  });

  it("is said once for each budget by doctor, with the way out", () => {
    const state = (name: string, each: Parameters<typeof together>[0]) => {
      const uncounted = together(each);
      return { budget: { name }, ...(uncounted ? { uncounted } : {}) };
    };
    const states = [
      state("team", [["memory"], ["cpu", "memory"], []]),
      state("team", [["database-compute"]]),
      state("house", [[]]),
      state("each", [["cpu"]]),
    ];
    assert.deepEqual(
      uncountedFindings(states).map(({ ok, what }) => [ok, what]),
      [
        [
          false,
          'the budget "team" covers 3 previews without a price for cpu, memory, database compute: nothing of that counts',
        ],
        [false, 'the budget "each" covers 1 preview without a price for cpu: nothing of that counts'],
      ],
    );
    assert.match(uncountedFindings(states)[0]?.remedy ?? "", /`costs` in stackling.yaml/);
  });
});
