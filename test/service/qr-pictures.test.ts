import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import express from "express";
import { createQrPictures } from "../../service/qr-pictures.ts";

describe("the picture of a preview's address", () => {
  const app = express();
  app.get("/qr/:file", createQrPictures("https://preview.acme.dev"));
  const server = createServer(app);
  let url = "";
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => void server.close());

  it("is one that everybody may have and keep, of a name right below ours", async () => {
    const answer = await fetch(`${url}/qr/pr-42-shop.svg`);
    assert.equal(answer.headers.get("content-type"), "image/svg+xml; charset=utf-8");
    assert.match(answer.headers.get("cache-control") ?? "", /public, max-age=\d+/);
    const picture = await answer.text();
    assert.match(picture, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" .*<path fill="#fff" /);
    assert.notEqual(picture, await (await fetch(`${url}/qr/pr-43-shop.svg`)).text());
  });

  it("is of no other address, whatever is asked for", async () => {
    for (const file of [
      "evil.example%2f.svg",
      "a.b.svg",
      "PR-42.svg",
      "-a.svg",
      `${"a".repeat(64)}.svg`,
      "pr-42-shop.png",
    ]) {
      assert.equal((await fetch(`${url}/qr/${file}`)).status, 404, file);
    }
  });
});
