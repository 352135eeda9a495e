import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createSubjectReader } from "../../service/subject.ts";
import { memoryForge } from "../support/memory-forge.ts";
import { config, shop } from "../support/reconcile-world.ts";

const MAIN = { kind: "commit", gitBranch: "main", headSha: "a".repeat(40) } as const;

describe("reading what a preview is of", () => {
  const read = (text: string, names: readonly string[]) => {
    const forge = memoryForge();
    forge.files.set(`${MAIN.headSha}:preview.yaml`, text);
    const repositories = [shop, ...names.map((name) => ({ ...shop, name, path: `acme/${name}` }))];
    return createSubjectReader({ config: { ...config, repositories }, forge: () => forge }).readApplication(shop, MAIN);
  };

  it("refuses a further web service whose hosts would be another repository's", async () => {
    const answer = await read("services: {web: x, api: y}\n", ["api-shop"]);
    assert.equal(answer.kind, "invalid");
    assert.match(answer.kind === "invalid" ? (answer.problems[0] ?? "") : "", /"api" of "shop" .* "api-shop"/);
  });

  it("takes the same services where no such repository is configured, or where they have no host", async () => {
    assert.equal((await read("services: {web: x, api: y}\n", ["shop-api", "api"])).kind, "found");
    assert.equal((await read("services: {api: y}\n", ["api-shop"])).kind, "found");
    assert.equal((await read("services: {web: x, api: {kind: worker, command: y}}\n", ["api-shop"])).kind, "found");
  });
});
