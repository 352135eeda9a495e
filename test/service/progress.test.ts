import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RunEvent } from "../../infra/stacks.ts";
import { whenRouted } from "../../service/progress.ts";

const BASE = "urn:pulumi:shop-pr-1::stackling";

function made(urn: string, done = true): RunEvent {
  return { at: "2026-01-01T00:00:00.000Z", kind: "resource", operation: "create", urn: `${BASE}::${urn}`, done };
}

function routedAfter(count: number, events: readonly RunEvent[]): number {
  let times = 0;
  const listen = whenRouted(count, () => {
    times += 1;
  });
  for (const event of events) listen(event);
  return times;
}

const web = "stackling:dns:Gateway$stackling:local:Route::routes-web";
const api = "stackling:dns:Gateway$stackling:local:Route::routes-api";

describe("the listener for routes", () => {
  it("tells once every host is routed, and only once", () => {
    assert.equal(routedAfter(2, [made(web), made(api), made(api)]), 1);
  });

  it("tells nothing while a host is missing", () => {
    assert.equal(routedAfter(2, [made(web), made(web)]), 0);
  });

  it("takes neither the beginning of a route nor the component around it for a route", () => {
    assert.equal(routedAfter(1, [made(web, false), made("stackling:dns:Gateway::routes")]), 0);
  });

  it("takes neither a vendor's provider nor the mark beside a record for a route", () => {
    const provider = made("stackling:dns:Route53$pulumi:providers:aws::routes-aws");
    const mark = made("stackling:dns:Route53$aws:route53/record:Record::routes-web-owner");
    const record = made("stackling:dns:Route53$aws:route53/record:Record::routes-web");
    assert.equal(routedAfter(1, [provider, mark]), 0);
    assert.equal(routedAfter(1, [provider, mark, record]), 1);
  });

  it("takes no service for a route", () => {
    assert.equal(routedAfter(1, [made("stackling:service:Local$stackling:local:Service::service-web")]), 0);
  });
});
