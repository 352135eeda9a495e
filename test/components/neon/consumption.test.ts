import assert from "node:assert/strict";
import process from "node:process";
import { after, before, beforeEach, describe, it } from "node:test";
import type { ConsumptionHistoryPerBranchV2 } from "@neondatabase/api-client";
import { StacklingError } from "../../../components/errors.ts";
import { type NeonPrices, neonCosts } from "../../../components/neon/consumption.ts";
import {
  aBranch,
  NEON_KEY,
  NEON_ORGANIZATION,
  NEON_PROJECT,
  type NeonServer,
  startNeonServer,
} from "../../support/neon-server.ts";

const prices: NeonPrices = {
  currency: "USD",
  computeUnitHour: (plan) => (plan === "scale" ? 0.222 : 0.106),
  gbMonth: 0.35,
};

/** The shape of the client's own example of a period. */
function used(
  branch_id: string,
  days: Readonly<Record<string, Record<string, number>>>,
): ConsumptionHistoryPerBranchV2 {
  return {
    ...{ project_id: NEON_PROJECT, branch_id },
    periods: [
      {
        period_id: "79ec829f-1828-4006-ac82-9f1828a0067d",
        period_plan: "launch",
        period_start: "2026-11-01T00:00:00Z",
        consumption: Object.entries(days).map(([day, metrics]) => ({
          timeframe_start: `${day}T00:00:00Z`,
          timeframe_end: `${day}T24:00:00Z`,
          metrics: Object.entries(metrics).map(([metric_name, value]) => ({ metric_name, value })),
        })),
      },
    ],
  };
}

describe("what branches used at Neon", () => {
  let server: NeonServer;
  before(async () => {
    server = await startNeonServer();
    process.env.STACKLING_TEST_NEON_KEY = NEON_KEY;
  });
  after(() => server.close());
  beforeEach(() => {
    server.branches.length = 0;
    server.usage.length = 0;
  });

  const ask = (known: Readonly<Record<string, string>> = {}, organization = NEON_ORGANIZATION) =>
    neonCosts(
      { project: NEON_PROJECT, apiKey: { env: "STACKLING_TEST_NEON_KEY" }, apiUrl: server.url },
      { from: "2026-11-20", to: "2026-11-21", organization, prices, known },
    );

  it("is what its bill makes of seconds and bytes, by day and stack", async () => {
    server.branches.push(aBranch({ id: "br-1", name: "stackling/shop-pr-1/0" }));
    server.usage.push(
      used("br-1", {
        "2026-11-19": { compute_unit_seconds: 9 },
        "2026-11-20": { compute_unit_seconds: 1800, child_branch_bytes_month: 2e9 * 24 },
        "2026-11-21": { compute_unit_seconds: 3600 },
      }),
    );
    const { lines } = await ask();
    assert.deepEqual(
      lines.map(({ stack, day, meter }) => `${stack} ${day} ${meter}`),
      [
        "shop-pr-1 2026-11-20 database-compute",
        "shop-pr-1 2026-11-20 database-storage",
        "shop-pr-1 2026-11-21 database-compute",
      ],
    );
    assert.equal(lines[0]?.cost, 0.5 * 0.106);
    assert.equal(lines[2]?.quantity, 1);
    // 2 GB for one of the 31 days of a billing month.
    assert.ok(Math.abs((lines[1]?.cost ?? 0) - (2 / 31) * 0.35) < 1e-9);
  });

  it("is known of a branch that is gone, by what was known while it was there", async () => {
    server.branches.push(aBranch({ id: "br-1", name: "stackling/shop-pr-1/0" }));
    const { stacks } = await ask();
    assert.deepEqual(stacks, { "br-1": "shop-pr-1" });
    server.branches.length = 0;
    server.usage.push(used("br-1", { "2026-11-20": { compute_unit_seconds: 60 } }));
    assert.equal((await ask(stacks)).lines[0]?.stack, "shop-pr-1");
    assert.deepEqual((await ask()).lines, []);
  });

  it("is read to the last page, and of our branches only", async () => {
    for (const id of ["br-1", "br-2", "br-3", "br-main"]) {
      const name = id === "br-main" ? "main" : `stackling/shop-pr-${id.slice(3)}/0`;
      server.branches.push(aBranch({ id, name }));
      server.usage.push(used(id, { "2026-11-20": { compute_unit_seconds: 60 } }));
    }
    assert.deepEqual((await ask()).lines.map(({ stack }) => stack).sort(), ["shop-pr-1", "shop-pr-2", "shop-pr-3"]);
  });

  it("names an organization that there is not, and says when a plan has no history, without the key", async () => {
    const fault = (work: Promise<unknown>) =>
      work.then(
        () => assert.fail("it was answered"),
        (error: unknown) => (error instanceof StacklingError ? error.userMessage : String(error)),
      );
    assert.match(await fault(ask({}, "org-other")), /there is no organization "org-other"/);
    // Its branches are asked for first.
    server.failures.push({ status: 403, message: `not on this plan ${NEON_KEY}` });
    const said = await fault(ask());
    assert.match(said, /refuses the API key: not on this plan \[secret\]/);
  });
});
