import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseApplication } from "../../../service/config/application.ts";
import { defaultLimits } from "../../../service/config/defaults.ts";
import { egressOf } from "../../../service/config/egress.ts";
import { parseOperator } from "../../../service/config/operator.ts";

const application = (external: string) =>
  parseApplication(`services: {web: npm start}\nexternal:\n${external}`, {
    file: "preview.yaml",
    limits: defaultLimits,
  });
const operator = (more: string) =>
  parseOperator(`repositories: [{path: ./shop}]\n${more}`, {
    file: "stackling.yaml",
    directory: "/srv",
    dataDir: "/data",
  });
const target = {};

describe("where previews may go", () => {
  it("is what the services of others are called by", () => {
    const found = application(
      "  stripe: {mode: sandbox, hosts: [api.stripe.com]}\n  slack: {mode: shared, hosts: ['*.slack.com', 'api.stripe.com']}",
    );
    assert.deepEqual(egressOf({ config: {}, repository: {}, application: found, target }), {
      egress: { hosts: ["api.stripe.com", "*.slack.com"], trusted: [], direct: [], enforced: false },
    });
  });

  it("leaves out what is off or played here", () => {
    const found = application(
      "  stripe: {mode: 'off', hosts: [api.stripe.com]}\n  slack: {mode: emulated, hosts: [slack.com]}",
    );
    assert.deepEqual(egressOf({ config: {}, repository: {}, application: found, target }).egress?.hosts, []);
  });

  it("is nowhere by default", () => {
    assert.deepEqual(egressOf({ config: {}, repository: {}, application: {}, target: { enforcesEgress: true } }), {
      egress: { hosts: [], trusted: [], direct: [], enforced: true },
    });
  });

  it("holds what the operator adds, key by key for a repository", async () => {
    const config = await operator("egress: {hosts: [inside.acme.dev, '10.0.0.5:8080'], direct: ['10.0.0.6:9092']}");
    const { egress } = egressOf({
      config,
      repository: { egress: { hosts: ["own.acme.dev"] } },
      application: {},
      target,
    });
    assert.deepEqual(egress, { hosts: [], trusted: ["own.acme.dev"], direct: ["10.0.0.6:9092"], enforced: false });
  });

  it("is anywhere when the operator says so", async () => {
    const config = await operator("egress: {mode: open}");
    assert.deepEqual(egressOf({ config, repository: {}, application: {}, target }), {});
    const { egress } = egressOf({ config, repository: { egress: { mode: "listed" } }, application: {}, target });
    assert.ok(egress);
  });

  it("gives a stranger's commit nothing of the operator's networks", async () => {
    const config = await operator("egress: {hosts: [api.acme.dev, '10.0.0.5:8080'], direct: ['10.0.0.6:9092']}");
    const { egress } = egressOf({ config, repository: {}, application: {}, target, untrusted: { isolated: true } });
    assert.deepEqual(egress, { hosts: ["api.acme.dev"], trusted: [], direct: [], enforced: false });
  });

  it("lets a stranger's commit to named hosts only, also where previews of the team go anywhere", async () => {
    const config = await operator("egress: {mode: open, hosts: [api.acme.dev]}");
    const { egress } = egressOf({ config, repository: {}, application: {}, target, untrusted: { isolated: true } });
    assert.deepEqual(egress, { hosts: ["api.acme.dev"], trusted: [], direct: [], enforced: false });
  });

  it("refuses hosts that are none, and addresses in preview.yaml", async () => {
    for (const host of ["*", "*.com", "https://api.stripe.com", "10.0.0.5", "169.254.169.254", "me@api.stripe.com"]) {
      assert.throws(() => application(`  stripe: {mode: sandbox, hosts: ['${host}']}`), /must be a host such as/, host);
    }
    await assert.rejects(operator("egress: {hosts: ['*']}"), /must be a host or an address such as/);
    await assert.rejects(operator("egress: {direct: [kafka.acme.dev]}"), /with its port/);
    await assert.rejects(operator("egress: {mode: closed}"), /must be one of "listed", "open"/);
  });
});
