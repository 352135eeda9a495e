import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, it } from "node:test";
import { StacklingError } from "../../../components/errors.ts";
import { checkOpencost, opencostCosts } from "../../../components/kubernetes/opencost.ts";

/** As OpenCost's own documentation of the API has it, of one label. */
function allocation(name: string, day: string, more: object = {}) {
  return {
    ...{ name, properties: { cluster: "cluster-one", namespace: "preview-shop-pr-1" }, minutes: 376 },
    window: { start: `${day}T00:00:00Z`, end: `${day}T24:00:00Z` },
    ...{ cpuCores: 0.45, cpuCoreHours: 2.82, cpuCost: 0.053402, cpuCostAdjustment: 0.01, cpuEfficiency: 0.006458 },
    ...{ gpuCost: 0, networkCost: 0.002, loadBalancerCost: 0, pvByteHours: 0, pvCost: 0, pvs: null },
    ...{ ramByteHours: 2 * 1024 ** 3, ramCost: 0.002174, ramCostAdjustment: 0, sharedCost: 0, externalCost: 0 },
    ...{ totalCost: 0.067576, totalEfficiency: 0.05072, rawAllocationOnly: null },
    ...more,
  };
}

describe("what OpenCost says of previews", () => {
  let url: string;
  let asked: URL | undefined;
  let authorization: string | undefined;
  let answer: (response: ServerResponse) => void;
  const server = createServer((request: IncomingMessage, response) => {
    asked = new URL(request.url ?? "", "http://localhost");
    authorization = request.headers.authorization;
    answer(response);
  });
  const json = (value: unknown, status = 200) => {
    answer = (response) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  };
  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => json({ code: 200, data: [] }));

  const range = { from: "2026-11-20", to: "2026-11-21" };
  const ask = () => opencostCosts({ url: `${url}/`, token: "s3cret", currency: "EUR" }, range);
  const faultOf = (work: Promise<unknown>) =>
    work.then(
      () => assert.fail("it was answered"),
      (error: unknown) => (error instanceof StacklingError ? error.userMessage : String(error)),
    );

  it("is asked of whole days by our label, with the token", async () => {
    assert.deepEqual(await ask(), []);
    assert.equal(asked?.pathname, "/allocation");
    assert.equal(asked?.searchParams.get("window"), "2026-11-20T00:00:00Z,2026-11-22T00:00:00Z");
    assert.equal(asked?.searchParams.get("aggregate"), "label:stackling_dev_stack");
    assert.equal(asked?.searchParams.get("step"), "1d");
    assert.equal(authorization, "Bearer s3cret");
  });

  it("is by stack, day and what it was for, whichever way a version writes the label, and nobody else's", async () => {
    const days = ["2026-11-20", "2026-11-21"] as const;
    json({
      code: 200,
      data: [
        { a: allocation("stackling_dev_stack=shop-pr-1", days[0]), b: allocation("__unallocated__", days[0]) },
        { c: allocation("shop-pr-1", days[1], { networkCost: 0, totalCost: 0.065576 }) },
        null,
      ],
    });
    const lines = await ask();
    assert.deepEqual(
      lines.map(({ stack, day, meter, currency }) => [stack, day, meter, currency].join(" ")),
      [
        "shop-pr-1 2026-11-20 cpu EUR",
        "shop-pr-1 2026-11-20 memory EUR",
        "shop-pr-1 2026-11-20 other EUR",
        "shop-pr-1 2026-11-21 cpu EUR",
        "shop-pr-1 2026-11-21 memory EUR",
      ],
    );
    assert.equal(lines[0]?.cost, 0.063402);
    assert.equal(lines[0]?.quantity, 2.82);
    assert.equal(lines[1]?.quantity, 2);
    const sum = lines.filter(({ day }) => day === days[0]).reduce((total, { cost }) => total + cost, 0);
    assert.ok(Math.abs(sum - 0.067576) < 1e-9);
  });

  it("says what answers in its place, and never the token", async () => {
    json({ data: [{ a: { name: "x" } }] });
    assert.match(await faultOf(ask()), /what answers is not OpenCost's API/);
    json({ message: "page" }, 404);
    assert.match(await faultOf(ask()), /has no \/allocation; the API is at port 9003/);
    json({ code: 400, message: "bad window s3cret" }, 400);
    assert.match(await faultOf(ask()), /OpenCost refuses it: bad window \[secret\]/);
    json({}, 401);
    assert.match(await faultOf(checkOpencost({ url, currency: "USD" })), /refuses the credential/);
  });
});
