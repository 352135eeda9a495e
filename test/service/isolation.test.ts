import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RepositoryConfig } from "../../service/config/repository-types.ts";
import type { OperatorConfig, TargetConfig } from "../../service/config/types.ts";
import { isolationFindings, readIsolation } from "../../service/isolation.ts";
import type { Isolation } from "../../service/trust.ts";
import { config, shop } from "../support/reconcile-world.ts";
import { requires } from "../support/requires.ts";

const chosen = (service: string, database?: string): TargetConfig => {
  const [target] = config.targets;
  assert.ok(target);
  return {
    ...target,
    service: { driver: service, options: {} },
    ...(database === undefined ? {} : { database: { driver: database, options: {} } }),
  };
};
const isolationOf = async (target: TargetConfig) => (await readIsolation({ targets: [target] }))(target.name);

describe("a target", () => {
  it("of this machine keeps previews apart, for each has a user of its own", requires("root"), async () => {
    assert.equal(await isolationOf(chosen("local", "clone")), "apart");
  });

  it("in a cluster keeps them apart whoever runs the service", async () => {
    assert.equal(await isolationOf(chosen("kubernetes")), "apart");
  });

  it("that nobody knows keeps nothing apart", async () => {
    assert.equal(await isolationOf(chosen("toString")), "together");
    assert.equal((await readIsolation({ targets: [] }))("local"), "together");
  });
});

describe("doctor", () => {
  const say = (isolation: Isolation, changes: Partial<RepositoryConfig> = {}, kind: "github" | "local" = "github") => {
    const forges: OperatorConfig["forges"] = [{ name: "memory", kind, options: {} }];
    const repositories = [{ ...shop, target: "here", ...changes }];
    const targets = [
      { ...chosen("local"), name: "here" },
      { ...chosen("kubernetes"), name: "cluster" },
    ];
    const findings = isolationFindings({ forges, repositories, targets }, () => isolation);
    return findings.map(({ ok, what }) => `${ok} ${what}`).join();
  };

  it("says where strangers' pull requests cannot be approved, and where they are not kept apart", () => {
    assert.equal(say("apart", { target: "cluster" }), "");
    assert.match(say("apart"), /^true .*run as a system user of their own and share this machine's loopback/);
    assert.match(say("together"), /^true .*to "shop" cannot be approved: the service does not run as root/);
    assert.match(say("sharing"), /^true .*cannot be approved: databases of the target "here"/);
    assert.match(
      say("together", { untrusted: { withoutIsolation: true } }),
      /run, once approved, as the service's own user/,
    );
  });

  it("says where they reach named hosts only", () => {
    const forges: OperatorConfig["forges"] = [{ name: "memory", kind: "github", options: {} }];
    const targets = [{ ...chosen("local"), name: "here", enforcesEgress: true as const }];
    const repositories = [{ ...shop, target: "here" }];
    const [finding] = isolationFindings({ forges, repositories, targets }, () => "apart");
    assert.match(finding?.what ?? "", /system user of their own and reach named hosts only/);
  });

  it("says nothing of git repositories of this machine, which have no forks", () => {
    assert.equal(say("together", {}, "local"), "");
  });
});
