import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultPullRequests } from "../../service/config/defaults.ts";
import type { RepositoryConfig } from "../../service/config/types.ts";
import type { PullRequest } from "../../service/forges/forge.ts";
import { NO_INTENTS } from "../../service/status.ts";
import { createSubjectReader } from "../../service/subject.ts";
import { memoryForge, pullRequest } from "../support/memory-forge.ts";
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

describe("reading what a pull request changes", () => {
  const paths = { ...shop, pullRequests: { ...defaultPullRequests, paths: ["apps/**"] } };
  const open = { number: 1, gitBranch: "feature-1", intents: NO_INTENTS };
  const asked = async (repository: RepositoryConfig, changes: Partial<PullRequest>, approved?: string) => {
    const forge = memoryForge();
    forge.pulls.set(1, pullRequest(1, "a".repeat(40), changes));
    const intents = approved ? { ...NO_INTENTS, approved: { sha: approved, by: "@ada", at: "" } } : NO_INTENTS;
    const of = { ...open, intents };
    let asks = 0;
    forge.changedPaths = async () => {
      asks += 1;
      return { kind: "tooMany" };
    };
    const subject = await createSubjectReader({ config, forge: () => forge }).readSubject(of, repository);
    assert.equal(subject.kind, "pullRequest");
    return asks;
  };

  it("asks where a path rule decides, and nowhere else", async () => {
    assert.equal(await asked(paths, {}), 1);
    assert.equal(await asked(shop, {}), 0, "without a rule");
    const decided: readonly Partial<PullRequest>[] = [
      { state: "closed" },
      { labels: ["no-preview"] },
      { fork: true },
      { trustedAuthor: false },
    ];
    for (const changes of decided) assert.equal(await asked(paths, changes), 0, JSON.stringify(changes));
    assert.equal(await asked(paths, { fork: true }, "b".repeat(40)), 0, "another commit is approved");
    assert.equal(await asked(paths, { fork: true }, "a".repeat(40)), 1, "its commit is approved");
  });
});
