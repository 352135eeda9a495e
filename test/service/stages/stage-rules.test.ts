import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PreviewSpec } from "../../../infra/spec.ts";
import type { RepositoryConfig } from "../../../service/config/repository-types.ts";
import type { StageConfig } from "../../../service/config/stages.ts";
import type { OperatorConfig } from "../../../service/config/types.ts";
import { afterChecks } from "../../../service/gates/outcome.ts";
import { refusalOf } from "../../../service/gateway/access/guard.ts";
import { createGuards } from "../../../service/gateway/access/guards.ts";
import { rulesFor } from "../../../service/gateway/banner/off.ts";
import { NO_INTENTS } from "../../../service/intents.ts";
import { applicationFor, asStage, repositoryFor } from "../../../service/stages/stage.ts";
import { newStatus } from "../../../service/status.ts";
import { application, shop } from "../../support/reconcile-world.ts";

const AT = "2026-11-22T10:00:00.000Z";

const production: StageConfig = {
  name: "production",
  from: "staging",
  approvals: { required: 0, own: false },
  waitSeconds: 0,
  onFailure: "rollback",
  target: "cluster",
  secrets: { KEY: { env: "LIVE_KEY" } },
  seed: false,
  banner: false,
  access: { kind: "public" },
};
const repository: RepositoryConfig = {
  ...shop,
  secrets: { KEY: { env: "TEST_KEY" }, OTHER: { env: "OTHER" } },
  baseline: "masked",
  access: { kind: "doors", doors: { ip: ["203.0.113.7"] }, satisfy: "all", shareSeconds: 60 },
  stages: { production },
};
const of = (key: string) => ({ key, repository: "shop", status: newStatus(AT) });

describe("a stage's own rules", () => {
  it("are in place of the repository's, and none of the previews' secrets and baselines is among them", () => {
    const { target, secrets, baseline, lifecycle } = asStage(repository, production);
    assert.deepEqual([target, secrets, baseline, lifecycle], ["cluster", { KEY: { env: "LIVE_KEY" } }, undefined, {}]);
    assert.equal(repositoryFor(repository, "shop#1"), repository);
    assert.equal(repositoryFor(repository, "shop:qa"), undefined);
  });

  it("open its door alone, and leave that of previews shut", async () => {
    const guardOf = await createGuards({
      config: { domain: "preview.acme.dev", repositories: [repository] },
      digest: () => "",
    });
    assert.equal(guardOf(of("shop:production")), undefined);
    assert.ok(guardOf(of("shop#1")));
  });

  it("shut its door to everybody once they are gone, where one that is wider was all that is left", async () => {
    const repositories = [{ ...repository, access: { kind: "public" } as const, stages: {} }];
    const at = (config: Pick<OperatorConfig, "repositories">) =>
      createGuards({ config: { ...config, domain: "preview.acme.dev", access: { kind: "public" } }, digest: () => "" });
    const live = { source: { repository: "https://github.com/acme/shop.git" }, services: [] } as unknown as PreviewSpec;
    const served = (key: string) => ({ ...of(key), status: { ...newStatus(AT), live } });
    const brought = {
      address: "203.0.113.7",
      host: "",
      repository: "shop",
      share: { opened: ["share"], until: new Date() },
    };
    const refused = async (config: Pick<OperatorConfig, "repositories">, key: string, service?: string) => {
      const guard = (await at(config))(served(key), service);
      return guard && (await refusalOf(guard, brought));
    };
    assert.deepEqual(await refused({ repositories }, "shop:production"), []);
    assert.deepEqual(await refused({ repositories }, "shop:production", "api"), []);
    assert.equal(await refused({ repositories }, "shop#1"), undefined);
    assert.deepEqual(await refused({ repositories: [] }, "shop#1"), [], "of a repository that is gone");
    const registered = { ...live, source: { ...live.source, repository: "/home/ada/shop" } };
    const byHand = { ...served("shop@main"), status: { ...newStatus(AT), live: registered } };
    assert.equal((await at({ repositories: [] }))(byHand), undefined, "of one on this machine, which no config names");
  });

  it("decide what comes of checks that fail: back to the version before, with the database as it is", () => {
    const [good, bad] = ["a".repeat(40), "b".repeat(40)] as [string, string];
    const checks = { smoke: [], gates: [], onFailure: "keep" as const };
    const { checks: own } = applicationFor({ ...application, checks }, production);
    assert.equal(own?.onFailure, "rollback");
    const live = { source: { commit: bad }, database: {}, checks: own } as unknown as PreviewSpec;
    const status = { ...newStatus(AT), live, served: [{ sha: good, at: AT }], headSha: bad };
    const failed = { name: "GET /", kind: "smoke", required: true, ok: false, text: "it answered 500", ms: 1 } as const;
    const { intents } = afterChecks({ ...of("shop:production"), status, intents: NO_INTENTS }, [failed], { now: AT });
    assert.deepEqual([intents.rolledBack?.sha, intents.rolledBack?.database], [good, "kept"]);
    assert.deepEqual(intents.generations, NO_INTENTS.generations);
  });

  it("keep the banner off its pages alone", () => {
    const rulesOf = rulesFor({ repositories: [repository] });
    assert.deepEqual([rulesOf(of("shop:production")), rulesOf(of("shop#1"))], [[false], []]);
  });
});
