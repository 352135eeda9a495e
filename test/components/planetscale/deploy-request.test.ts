import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { ResourceContext } from "../../../components/local/resource.ts";
import { deployRequestResource } from "../../../components/planetscale/deploy-request-resource.ts";
import {
  PLANETSCALE_ACCOUNT,
  type PlanetscaleServer,
  startPlanetscaleServer,
} from "../../support/planetscale-server.ts";

const NAME = "stackling-0-none-shop-pr-1";

let server: PlanetscaleServer;
let said: string[];
beforeEach(async () => {
  server = await startPlanetscaleServer();
  said = [];
});
afterEach(() => server.close());

const inputs = (version = "one") => ({
  account: { ...PLANETSCALE_ACCOUNT, apiUrl: server.url },
  branch: NAME,
  into: "main",
  version,
});
const context = (): ResourceContext => ({
  settings: { dataDir: "/nowhere" },
  stack: "shop-pr-1",
  admit: async () => undefined,
  signal: new AbortController().signal,
  log: (words) => said.push(words),
});
const create = async () => (await deployRequestResource.create(context(), inputs(), "deploy-request")).state;
const stateOf = () => server.deployRequests.map(({ branch, into_branch: into, state }) => [branch, into, state]);

describe("a deploy request", () => {
  it("is opened once migrations changed the schema, and is one for all commits", async () => {
    const first = await create();
    assert.equal(first.number, undefined);
    assert.deepEqual(stateOf(), []);
    server.changed.add(NAME);
    assert.equal(deployRequestResource.diff(first, inputs("two")).changes, true);
    const second = await deployRequestResource.update?.(context(), NAME, first, inputs("two"));
    assert.equal(second?.number, 1);
    await deployRequestResource.update?.(context(), NAME, first, inputs("three"));
    assert.deepEqual(stateOf(), [[NAME, "main", "open"]]);
    assert.match(said[0] ?? "", /deploy request 1 into "main": https:/);
  });

  it("is the one that a create opened whose answer was lost", async () => {
    server.changed.add(NAME);
    server.failures.push({ on: "POST /deploy-requests", status: 502, after: true });
    await assert.rejects(create(), /PlanetScale cannot do it now/);
    assert.equal((await create()).number, 1);
    assert.equal(server.deployRequests.length, 1);
  });

  it("fails no preview where PlanetScale takes none, and says so", async () => {
    server.changed.add(NAME);
    server.failures.push({ on: "POST /deploy-requests", status: 422, message: "Safe migrations are not enabled" });
    assert.equal((await create()).number, undefined);
    assert.match(said[0] ?? "", /PlanetScale refuses it: Safe migrations are not enabled/);
  });

  it("is closed with its preview, and those of others are not", async () => {
    server.changed.add(NAME);
    const state = await create();
    server.deployRequests.push({
      number: 2,
      branch: "feature",
      into_branch: "main",
      state: "open",
      deployment_state: "pending",
      html_url: "",
    });
    await deployRequestResource.delete(context(), NAME, state);
    await deployRequestResource.delete(context(), NAME, state);
    assert.deepEqual(stateOf(), [
      [NAME, "main", "closed"],
      ["feature", "main", "open"],
    ]);
  });

  it("keeps its branch while it is being deployed", async () => {
    server.changed.add(NAME);
    const state = await create();
    const [request] = server.deployRequests;
    assert.ok(request);
    request.deployment_state = "in_progress_cutover";
    await assert.rejects(
      deployRequestResource.delete(context(), NAME, state),
      /is deploying it \(in_progress_cutover\)/,
    );
    assert.equal(request.state, "open");
    Object.assign(request, { deployment_state: "complete_pending_revert", state: "closed" });
    await deployRequestResource.delete(context(), NAME, state);
  });

  it("is the same for the same commit", async () => {
    const state = await create();
    assert.deepEqual(deployRequestResource.diff(state, inputs()), { changes: false, replaces: [] });
    assert.deepEqual(deployRequestResource.diff(state, { ...inputs(), branch: "other" }).replaces, ["branch"]);
  });
});
