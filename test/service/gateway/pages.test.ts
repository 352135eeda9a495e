import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { aPreview } from "../../support/previews.ts";
import { ask, type Edge, startEdge } from "./edge.ts";

const HTML = { accept: "text/html" };
const GONE = { condition: "Ready", reason: "Gone", goneAt: "2026-11-21T10:00:00Z" } as const;

describe("the pages that stand in for an application", () => {
  let edge: Edge;
  before(async () => {
    edge = await startEdge({ access: { domain: "preview.acme.dev", access: { kind: "public" } } });
    edge.store.put(aPreview({ number: 1 }));
    edge.store.put(aPreview({ number: 2, status: { ...GONE, goneReason: "Expired", message: "Unused for 21 days." } }));
    edge.store.put(
      aPreview({ number: 3, status: { ...GONE, goneReason: "Removed", message: "Somebody removed it." } }),
    );
    edge.store.put(aPreview({ number: 4, status: { ...GONE, goneReason: "Closed", message: "It was closed." } }));
  });
  after(() => edge.close());
  const page = async (number: number) =>
    (await ask(edge.port, { host: `pr-${number}-shop.preview.acme.dev`, headers: HTML })).body;

  it("have the link as a code for a phone where waiting brings the application, and only there", async () => {
    assert.match(await page(1), /<svg class="qr"[^>]* aria-label="QR code of its link, for a phone"><path d="M4 4h7v1/);
    for (const number of [2, 3, 4, 99]) assert.doesNotMatch(await page(number), /<svg/, `pr-${number}`);
  });

  it("have none where no phone would get there", async () => {
    const local = await startEdge();
    local.store.put(aPreview());
    const { body } = await ask(local.port, { headers: HTML });
    assert.match(body, /Building this preview/);
    assert.doesNotMatch(body, /<svg/);
    await local.close();
  });

  it("tell one that expired from one that was removed or closed", async () => {
    assert.match(await page(2), /<h1>.*This preview has expired<\/h1>.*Unused for 21 days\..*Rebuild it/s);
    assert.match(await page(3), /This preview is gone<\/h1>.*Somebody removed it\./s);
    assert.match(await page(4), /This preview is gone<\/h1>.*Reopening the pull request brings it back/s);
    assert.match(await page(99), /No preview here<\/h1>/);
  });
});
