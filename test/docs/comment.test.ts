import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parseAllDocuments } from "yaml";
import { previewFacts } from "../../service/comment/facts.ts";
import { readTemplate } from "../../service/comment-template.ts";
import { parseOperator } from "../../service/config/operator.ts";
import { readListing } from "../../service/dashboard/listing.ts";
import { aPreview } from "../support/previews.ts";

const textOf = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
const place = { file: "stackling.yaml", directory: "/etc/stackling", dataDir: "/data/stackling" };

describe("docs/comment.md", () => {
  it("has a template that is taken and makes a comment", async () => {
    const [, source = ""] = /^```liquid\n([\s\S]*?)^```$/m.exec(textOf("docs/comment.md")) ?? [];
    const read = await readTemplate(source);
    assert.ok("render" in read, JSON.stringify(read));
    const facts = previewFacts(aPreview({ urls: { web: "https://pr-42-shop.preview.acme.dev" } }));
    assert.match(read.render(facts), /^Open https:\/\/pr-42-shop\.preview\.acme\.dev and try web\.$/m);
  });
});

describe("docs/chat.md", () => {
  it("has a configuration that is taken", async () => {
    const [, block = ""] = /^```yaml\n([\s\S]*?)^```$/m.exec(textOf("docs/chat.md")) ?? [];
    const { chat, hooks } = await parseOperator(
      `forges: {github: {token: {env: T}, webhookSecrets: [{env: W}]}}\n${block}`,
      place,
    );
    assert.deepEqual([Object.keys(chat ?? {}), Object.keys(hooks ?? {})], [["team", "ops"], ["e2e"]]);
  });
});

describe("the example for Backstage", () => {
  const documents = parseAllDocuments(textOf("examples/backstage/catalog-info.yaml"));
  const entities = documents.map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS() as {
      kind: string;
      metadata: { name: string; links?: { url: string }[] };
      spec: { definition?: { $text: string }; providesApis?: string[]; consumesApis?: string[] };
    };
  });

  it("names the API by the document that is served", () => {
    const apis = entities.filter(({ kind }) => kind === "API");
    assert.deepEqual(
      apis.map(({ spec }) => spec.definition?.$text),
      ["https://preview.acme.dev/api/v1/openapi.json"],
    );
    const used = entities.flatMap(({ spec }) => [...(spec.providesApis ?? []), ...(spec.consumesApis ?? [])]);
    assert.deepEqual([...new Set(used)], ["stackling"]);
  });

  it("leads to the previews of its repository", () => {
    const shop = entities.find(({ metadata }) => metadata.name === "shop");
    const { searchParams } = new URL(shop?.metadata.links?.[0]?.url ?? "");
    assert.equal(readListing(Object.fromEntries(searchParams)).repository, "shop");
  });
});
