import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { environmentOf } from "../../components/service/sources.ts";
import { linkedSources } from "../../infra/linked.ts";
import { telemetryOf } from "../../infra/telemetry.ts";

const COMMIT = "a".repeat(40);

describe("what telemetry's libraries are told of a preview", () => {
  it("names environment, service and commit of a pull request as their specifications have it", () => {
    const version = { repository: "shop", commit: COMMIT, gitBranch: "cart" };
    const { OTEL_RESOURCE_ATTRIBUTES, ...others } = telemetryOf({ key: "shop#42", number: 42 }, version);
    assert.deepEqual(others, { SENTRY_ENVIRONMENT: "pr-42", SENTRY_RELEASE: COMMIT });
    assert.deepEqual(Object.fromEntries(OTEL_RESOURCE_ATTRIBUTES?.split(",").map((one) => one.split("=")) ?? []), {
      "deployment.environment.name": "pr-42",
      "service.namespace": "shop",
      "service.version": COMMIT,
      "vcs.repository.name": "shop",
      "vcs.ref.head.revision": COMMIT,
      "vcs.ref.head.name": "cart",
      "vcs.change.id": "42",
      "stackling.preview": "shop%2342",
    });
  });

  it("is told of a branch by hand and of a stage too", () => {
    const of = (key: string) => telemetryOf({ key }, { repository: "shop", commit: COMMIT }).SENTRY_ENVIRONMENT ?? "";
    assert.equal(of("shop:staging"), "staging");
    assert.match(of("shop@Fix/The Cart"), /^br-fix-the-cart-[a-z0-9]{6}$/);
    assert.ok(of(`shop@${"x".repeat(200)}`).length <= 63);
  });

  it("lets no name of a git branch end its own attribute or begin a reference", () => {
    const version = { repository: "shop", commit: COMMIT, gitBranch: "a,b=c ${secrets.KEY};é" };
    const { OTEL_RESOURCE_ATTRIBUTES = "" } = telemetryOf({ key: "shop#1", number: 1 }, version);
    assert.match(OTEL_RESOURCE_ATTRIBUTES, /vcs\.ref\.head\.name=a%2Cb%3Dc%20%24%7Bsecrets\.KEY%7D%3B%C3%A9,/);
  });

  it("is the commit of the other repository for its services, so that a push elsewhere starts none of them anew", () => {
    const source = { name: "api", repository: "/api", commit: "b".repeat(40), submodules: false, lfs: false };
    const sources = { api: { ...source, install: [], build: [] } };
    const told = JSON.stringify(linkedSources({ key: "shop#42", number: 42, repository: "shop", sources }).api);
    assert.ok(told.includes(`service.version=${"b".repeat(40)}`) && told.includes("service.namespace=api"), told);
    assert.ok(!told.includes(COMMIT));
  });

  it("gives way to what the application declares itself", () => {
    const environment = { SENTRY_ENVIRONMENT: "pr-42", SENTRY_RELEASE: COMMIT };
    const declared = { SENTRY_ENVIRONMENT: "${secrets.NAME}" };
    assert.deepEqual(environmentOf({ environment }, { environment: declared }), { SENTRY_RELEASE: COMMIT });
  });
});
