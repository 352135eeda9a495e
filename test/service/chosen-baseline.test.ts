/** Which baseline a preview's database is a copy of: the operator's, or one of those that preview.yaml may choose. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseApplication } from "../../service/config/application.ts";
import type { RepositoryConfig } from "../../service/config/repository-types.ts";
import { misfitsOf } from "../../service/config/target-fit.ts";
import { NO_INTENTS } from "../../service/intents.ts";
import { buildSpec, type SpecInput } from "../../service/spec-builder.ts";
import { SHA, shop } from "../support/reconcile-world.ts";

const choice = { driver: "x", options: {} };
const target = {
  name: "local",
  runs: "source",
  service: choice,
  dns: choice,
  secrets: choice,
  database: choice,
} as const;
const repository: RepositoryConfig = { ...shop, baseline: "main", baselines: ["staging"] };

const asking = (from: string | undefined) =>
  parseApplication(`services: {web: x}\ndatabase: {${from === undefined ? "" : `from: ${from}`}}\n`, {
    file: "preview.yaml",
    limits: { memoryMiB: 2048, cpu: 4, services: 4 },
  });
const input = (from: string | undefined): SpecInput => ({
  config: { domain: "localhost:4000", scheme: "http" },
  repository,
  target,
  application: asking(from),
  key: { repository: "shop", number: 42 },
  gitBranch: "feature",
  commit: SHA.a,
  cloneUrl: "/srv/shop",
  owner: "ada",
  createdAt: "2026-03-01T12:00:00.000Z",
  intents: NO_INTENTS,
});
const misfits = (from: string, changes: Partial<RepositoryConfig> = {}, shared?: true) =>
  misfitsOf({
    application: asking(from),
    target: { ...target, ...(shared ? { sharesDatabase: true } : {}) },
    repository: { ...repository, ...changes },
    images: {},
  });

describe("the baseline of a preview", () => {
  it("is the operator's, or the one that preview.yaml names", () => {
    assert.equal(buildSpec(input(undefined)).database?.baseline, "main");
    assert.equal(buildSpec(input("staging")).database?.baseline, "staging");
  });

  it("is the one for strangers or none where the pull request is not trusted, whatever the file names", () => {
    const stranger = { ...input("staging"), untrusted: { isolated: true } };
    assert.deepEqual(buildSpec(stranger).database, {});
    const masked = { ...stranger, repository: { ...repository, untrusted: { baseline: "masked" } } };
    assert.equal(buildSpec(masked).database?.baseline, "masked");
  });

  it("is one of those that the operator allows", () => {
    assert.deepEqual([misfits("main"), misfits("staging")], [[], []]);
    assert.match(misfits("production").join(), /"from: production"; it may be main, staging, by "baselines" of/);
    const none = misfits("main", { baseline: undefined, baselines: undefined });
    assert.match(none.join(), /it may choose none/);
  });

  it("is none where the database is one of many", () => {
    assert.match(misfits("main", {}, true).join(), /that of the target "local" is shared/);
  });
});
