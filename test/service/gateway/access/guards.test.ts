import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createGuards } from "../../../../service/gateway/access/guards.ts";
import { aPreview } from "../../../support/previews.ts";

describe("the guard of a preview", () => {
  it("lets nobody in where the config names its repository no more, wherever that lies", async () => {
    const config = { domain: "preview.acme.dev", access: { kind: "public" }, repositories: [] } as const;
    const guardOf = await createGuards({ config, digest: (text) => text });
    const preview = aPreview({ urls: { web: "https://pr-42-shop.preview.acme.dev" } });
    const { live } = preview.status;
    assert.ok(live);
    const at = (key: string, repository: string) =>
      guardOf({
        ...preview,
        key,
        status: { ...preview.status, live: { ...live, source: { ...live.source, repository } } },
      });
    const shut = { rows: [{ doors: [], satisfy: "all" }], openServices: new Set(), isUndecided: false };
    for (const repository of ["/srv/shop.git", "https://forge.example/acme/shop.git"]) {
      assert.deepEqual(at("shop#42", repository), shut, repository);
    }
    assert.deepEqual(at("shop@main", "https://forge.example/acme/shop.git"), shut);
    assert.equal(at("shop@main", "/srv/shop.git"), undefined, "that is as `up PATH` makes it");
  });
});
