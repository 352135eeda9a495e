import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ApplicationConfig, ExternalService } from "../../../service/config/application-types.ts";
import { servicesPage } from "../../../service/dashboard/services-page.ts";
import { matrixOf, serviceFindings } from "../../../service/external/matrix.ts";
import { createExternalServices } from "../../../service/external/services.ts";
import { memoryForge } from "../../support/memory-forge.ts";
import { application, config, shop } from "../../support/reconcile-world.ts";

const NOW = "2026-11-21T10:00:00.000Z";
const stripe: ExternalService = {
  name: "stripe",
  mode: "sandbox",
  production: "live",
  development: "mock",
  review: "2026-11-20",
  secrets: { STRIPE_KEY: "STRIPE_TEST_KEY", STRIPE_HOOK: "STRIPE_TEST_HOOK" },
};

function found(more: Partial<ApplicationConfig>) {
  return { repository: { name: "shop" }, read: { kind: "found" as const, application: { ...application, ...more } } };
}

describe("the matrix of external services", () => {
  it("has a row for each, with the names of its secrets and none of one that is off", () => {
    const { services } = matrixOf([found({ external: [stripe, { ...stripe, name: "mail", mode: "off" }] })], NOW);
    assert.deepEqual(
      services.map(({ repository, name, preview, secrets }) => [repository, name, preview, ...secrets]),
      [
        ["shop", "stripe", "sandbox", "STRIPE_TEST_HOOK", "STRIPE_TEST_KEY"],
        ["shop", "mail", "off"],
      ],
    );
  });

  for (const [review, overdue] of [
    ["2026-11-20", true],
    ["2026-11-21", false],
    [undefined, false],
  ] as const) {
    it(`${overdue ? "warns" : "does not warn"} on 2026-11-21 of a review by ${review}`, () => {
      const matrix = matrixOf([found({ external: [{ ...stripe, review }] })], NOW);
      assert.equal(matrix.services[0]?.overdue, overdue);
      const what = 'the entry of "stripe" in preview.yaml of "shop" was to be reviewed by 2026-11-20';
      assert.deepEqual(
        serviceFindings(matrix).map((finding) => [finding.ok, finding.what]),
        overdue ? [[false, what]] : [],
      );
    });
  }

  it("tells of granted secrets that a file without externals does not explain, which is no fault", () => {
    const findings = serviceFindings(matrixOf([found({ grantedSecrets: ["STRIPE_TEST_KEY"] })], NOW));
    assert.deepEqual(
      findings.map(({ ok, what }) => [ok, /"shop" is granted STRIPE_TEST_KEY/.test(what)]),
      [[true, true]],
    );
    assert.deepEqual(matrixOf([found({ grantedSecrets: ["X"], external: [stripe] })], NOW).warnings.length, 1);
  });

  it("is a page in which strangers' words are text", () => {
    const external = [{ ...stripe, production: "<b>live</b>", development: undefined }];
    const { markup } = servicesPage(matrixOf([found({ external })], NOW), { now: new Date(NOW) });
    assert.match(markup, /&#60;b&#62;live&#60;\/b&#62;[\s\S]*sandbox[\s\S]*not said[\s\S]*2026-11-20, overdue/);
    assert.match(markup, /banner warning[\s\S]*was to be reviewed by 2026-11-20/);
    assert.match(servicesPage(matrixOf([], NOW), { now: new Date(NOW) }).markup, /None is named/);
  });
});

describe("reading which external services repositories use", () => {
  function reader() {
    const forge = memoryForge();
    const deps = { config, forge: () => forge, repositories: async () => [shop], now: () => NOW };
    return { forge, services: createExternalServices(deps) };
  }

  it("reads preview.yaml of the default branch", async () => {
    const { forge, services } = reader();
    forge.files.set("main:preview.yaml", "services: {web: x}\nexternal: {analytics: off}\n");
    forge.files.set("other:preview.yaml", "services: {web: x}\nexternal: {other: off}\n");
    assert.deepEqual(
      (await services.read()).services.map(({ name }) => name),
      ["analytics"],
    );
  });

  it("warns of what could not be read and shows the rest", async () => {
    const { forge, services } = reader();
    forge.outage = "502";
    assert.deepEqual(await services.check(), [
      {
        ok: true,
        what: 'what "shop" uses is not known: reading preview.yaml of "acme/shop" failed',
        remedy: "mend what it says; until then its services are missing from `stackling services`",
      },
    ]);
  });
});
