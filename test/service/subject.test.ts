import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultPullRequests } from "../../service/config/defaults.ts";
import type { RepositoryConfig } from "../../service/config/repository-types.ts";
import type { PullRequest } from "../../service/forges/forge.ts";
import { NO_INTENTS } from "../../service/intents.ts";
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

describe("reading preview.yaml of a pull request", () => {
  const headSha = "b".repeat(40);
  const base = "services: {web: {command: x, env: {A: base}}}\nflags: {beta: false}\n";
  const read = async (head: string, changes: Partial<PullRequest>, repository: Partial<RepositoryConfig>) => {
    const forge = memoryForge();
    const pull = pullRequest(1, headSha, changes);
    forge.files.set(`${pull.baseRef}:preview.yaml`, base);
    forge.files.set(`${headSha}:preview.yaml`, head);
    const reader = createSubjectReader({ config, forge: () => forge });
    return reader.readApplication(
      { ...shop, ...repository },
      { kind: "pullRequest", pullRequest: pull, defaultBranch: "main" },
      headSha,
    );
  };
  const mine = { headMayChange: ["services.*.env", "flags"] } as const;
  const head = "services: {web: {command: evil, env: {A: head}}}\nflags: {beta: true}\n";

  it("takes of the head what the operator lists, for trusted ones and strangers apart", async () => {
    const wholes = [
      await read(head, {}, mine),
      await read(head, {}, {}),
      await read(head, { fork: true }, mine),
      await read(head, { fork: true }, { ...mine, untrusted: { headMayChange: ["flags"] } }),
    ].map((found) => (found.kind === "found" ? found.application : assert.fail(found.message)));
    assert.deepEqual(
      wholes.map(({ fromHead, services, flags }) => [
        fromHead,
        services[0]?.command,
        services[0]?.environment.A,
        flags?.beta?.default,
      ]),
      [
        [["services.web.env", "flags"], "x", "head", true],
        [undefined, "x", "base", false],
        [undefined, "x", "base", false],
        [["flags"], "x", "base", true],
      ],
    );
  });

  it("says which of the head's words cannot be, and names no lines that no file has", async () => {
    const found = await read("flags: {beta: off}\n", {}, mine);
    assert.equal(found.kind, "invalid");
    assert.match(
      found.kind === "invalid" ? found.problems.join() : "",
      /^preview\.yaml with flags of the head: .*"off"/,
    );
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
