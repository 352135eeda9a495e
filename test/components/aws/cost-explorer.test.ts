import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, beforeEach, describe, it } from "node:test";
import type { GetCostAndUsageCommandOutput } from "@aws-sdk/client-cost-explorer";
import { createCostExplorer } from "../../../components/aws/cost-explorer.ts";
import { StacklingError, TerminalError } from "../../../components/errors.ts";
import { testAccount } from "./account.ts";

type Page = Omit<GetCostAndUsageCommandOutput, "$metadata">;
type Reply = { readonly status?: number; readonly body: object };

function day(
  Start: string,
  groups: Readonly<Record<string, readonly [usageType: string, cost: string, quantity: string]>>,
) {
  return {
    TimePeriod: { Start, End: "2026-11-99" },
    Estimated: true,
    Groups: Object.entries(groups).map(([tag, [usageType, cost, quantity]]) => ({
      Keys: [tag, usageType],
      Metrics: { UnblendedCost: { Amount: cost, Unit: "USD" }, UsageQuantity: { Amount: quantity, Unit: "N/A" } },
    })),
  };
}

describe("what AWS billed", () => {
  let endpoint: string;
  const asked: { readonly action: string; readonly body: Record<string, unknown> }[] = [];
  const replies: Reply[] = [];
  let calls = 0;
  const server = createServer(async (request, response) => {
    const action = String(request.headers["x-amz-target"]).split(".").at(-1) ?? "";
    asked.push({ action, body: JSON.parse(await text(request)) });
    const { status = 200, body } = replies.shift() ?? { body: {} };
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
  });
  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    asked.length = 0;
    replies.length = 0;
    calls = 0;
  });

  const explorer = () => {
    const { region: _anywhere, ...account } = testAccount(endpoint);
    return createCostExplorer(account, { spend: async () => void calls++ });
  };
  const range = { from: "2026-11-19", to: "2026-11-20" };
  const faultOf = (work: Promise<unknown>) =>
    work.then(
      () => assert.fail("it was answered"),
      (error: unknown) => {
        assert.ok(error instanceof StacklingError, String(error));
        return error;
      },
    );

  it("is asked of whole days by the stack's tag, to the last page, and each page is paid for", async () => {
    const pages: readonly Page[] = [
      { ResultsByTime: [day("2026-11-19", { "stackling:stack$a": ["BoxUsage", "1", "2"] })], NextPageToken: "more" },
      { ResultsByTime: [day("2026-11-20", { "stackling:stack$b": ["BoxUsage", "3", "4"] })] },
    ];
    replies.push(...pages.map((body) => ({ body })));
    const lines = await explorer().costs(range);
    assert.deepEqual(
      lines.map(({ stack, day: at, cost }) => [stack, at, cost]),
      [
        ["a", "2026-11-19", 1],
        ["b", "2026-11-20", 3],
      ],
    );
    assert.equal(calls, 2);
    assert.deepEqual(asked[0]?.body.TimePeriod, { Start: "2026-11-19", End: "2026-11-21" });
    assert.deepEqual(asked[0]?.body.GroupBy, [
      { Type: "TAG", Key: "stackling:stack" },
      { Type: "DIMENSION", Key: "USAGE_TYPE" },
    ]);
    assert.equal(asked[1]?.body.NextPageToken, "more");
  });

  it("is told by what it was for, as usage types are called", async () => {
    const types = {
      "EUC1-Fargate-vCPU-Hours:perCPU": "cpu vCPU-hours",
      "EUC1-SpotUsage-Fargate-ARM-vCPU-Hours:perCPU": "cpu vCPU-hours",
      "Fargate-GB-Hours": "memory GiB-hours",
      "EUC1-Fargate-EphemeralStorage-GB-Hours": "disk GiB-hours",
      "EUC1-DataProcessing-Bytes": "logs GiB",
      "EUC1-TimedStorage-ByteHrs": "logs GiB-months",
      "EUC1-AWSSecretsManager-Secrets": "secrets units",
      "EUC1-LCUUsage": "load-balancer hours",
      "EUC1-PublicIPv4:InUseAddress": "other units",
    };
    const groups = Object.keys(types).map((type, index) => [`stackling:stack$s${index}`, [type, "1", "1"]] as const);
    replies.push({ body: { ResultsByTime: [day("2026-11-19", Object.fromEntries(groups))] } });
    const lines = await explorer().costs(range);
    assert.deepEqual(
      lines.map(({ meter, unit }) => `${meter} ${unit}`),
      Object.values(types),
    );
    // What is of one day, meter and resource is added up: none of these may be in two units.
    const units = new Map(
      lines.map(({ meter, resource = "", unit }) => [`${meter} ${resource} ${unit}`, `${meter} ${resource}`]),
    );
    assert.equal(new Set(units.values()).size, units.size);
  });

  it("leaves out what has no stack, and numbers that are none", async () => {
    const groups = {
      "stackling:stack$": ["BoxUsage", "9", "1"],
      "stackling:stack$a": ["BoxUsage", "much", "1"],
      "stackling:stack$b": ["BoxUsage", "-0.5", "odd"],
    } as const;
    replies.push({ body: { ResultsByTime: [day("2026-11-19", groups), { TimePeriod: {} }] } });
    const [only, ...others] = await explorer().costs(range);
    assert.deepEqual(others, []);
    // A credit is a cost below nothing.
    assert.deepEqual([only?.stack, only?.cost, only?.quantity], ["b", -0.5, 0]);
  });

  it("does not ask when there may be no more calls", async () => {
    const { region: _anywhere, ...account } = testAccount(endpoint);
    const none = createCostExplorer(account, {
      spend: async () => {
        throw new TerminalError({ reason: "QuotaExceeded", userMessage: "6 calls were made today" });
      },
    });
    assert.match((await faultOf(none.costs(range))).userMessage, /6 calls/);
    assert.deepEqual(asked, []);
  });

  it("pays once where AWS is busy, and says so", async () => {
    replies.push({ status: 400, body: { __type: "ThrottlingException", message: "Rate exceeded" } });
    assert.match((await faultOf(explorer().costs(range))).userMessage, /asks us to slow down/);
    assert.equal(asked.length, 1);
  });

  it("names the permission that lacks, and no account number", async () => {
    const message =
      "User: arn:aws:iam::123456789012:user/x is not authorized to perform: ce:GetCostAndUsage on resource: *";
    replies.push({ status: 400, body: { __type: "AccessDeniedException", message } });
    const { userMessage } = await faultOf(explorer().costs(range));
    assert.match(userMessage, /does not allow us "ce:GetCostAndUsage"/);
    assert.doesNotMatch(userMessage, /\d{12}/);
  });

  it("says that its tag is not activated, and how it is", async () => {
    const tag = (Status: string) => ({
      body: { CostAllocationTags: [{ TagKey: "stackling:stack", Type: "UserDefined", Status }] },
    });
    replies.push(tag("Active"), tag("Inactive"), { body: { CostAllocationTags: [] } });
    const [active, inactive, absent] = [
      await explorer().checkTag(),
      await explorer().checkTag(),
      await explorer().checkTag(),
    ];
    assert.equal(active.ok, true);
    assert.match(inactive.what, /is there and not active/);
    assert.match(inactive.remedy ?? "", /TagKey=stackling:stack,Status=Active/);
    assert.match(absent.what, /appears a day after the first preview/);
    assert.equal(asked[0]?.action, "ListCostAllocationTags");
    assert.equal(calls, 3);
  });
});
