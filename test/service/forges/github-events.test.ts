/**
 * Deliveries beside pushes, pull requests and comments, by payloads of the shapes that GitHub documents
 * ("Webhook events and payloads"; @octokit/webhooks-types): what each leads to, and what leads to nothing.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { VerifiedDelivery } from "../../../service/forges/forge.ts";
import { hinted } from "../../../service/forges/github-events.ts";
import { verifyDelivery } from "../../../service/forges/github-webhook.ts";
import { signedHeaders } from "../../support/emulate.ts";

const SECRET = "the webhook's secret";
const FIXTURES = new URL("../../fixtures/github/", import.meta.url);
const SHOP = { repositoryPath: "acme/shop", repositoryId: "186853002" };
const RERUN = { pullRequest: { repositoryPath: "acme/shop", number: 42 }, rerunBy: "ada" };

const LEADS_TO: Readonly<Record<string, Pick<VerifiedDelivery, "pullRequest" | "concerns" | "rerunBy">>> = {
  "check_run.rerequested": RERUN,
  "check_run.requested_action": RERUN,
  "check_run.completed": {},
  "check_suite.rerequested": RERUN,
  "check_suite.requested": {},
  "delete.branch": { concerns: [SHOP] },
  "delete.tag": {},
  "installation.created": { concerns: [SHOP, { repositoryPath: "acme/tools", repositoryId: "186853003" }] },
  "installation.suspend": {},
  "installation_repositories.added": { concerns: [SHOP] },
  "installation_repositories.removed": { concerns: [SHOP] },
  "repository.renamed": { concerns: [{ repositoryPath: "acme/store", repositoryId: "186853002" }] },
  "repository.transferred": { concerns: [SHOP] },
  "repository.deleted": { concerns: [SHOP] },
  ping: {},
};

describe("deliveries of GitHub", () => {
  for (const [name, wanted] of Object.entries(LEADS_TO)) {
    it(`${name} leads to ${Object.keys(wanted).join(" and ") || "nothing"}`, async () => {
      const body = readFileSync(new URL(`${name}.json`, FIXTURES));
      const event = name.split(".")[0] ?? "";
      const headers = signedHeaders(event, body.toString("utf8"), SECRET);
      const { deliveryId, event: told, repositoryId: _, ...rest } = await verifyDelivery([SECRET], { headers, body });
      assert.deepEqual([deliveryId, told], [headers["x-github-delivery"], event]);
      assert.deepEqual(rest, wanted);
    });
  }

  it("of a check that names pull requests of other repositories too lead to that of its own, or to nothing", () => {
    const repository = { full_name: "acme/shop", id: 1 };
    const of = (number: number, id: number) => ({ number, base: { repo: { id } } });
    for (const event of ["check_run", "check_suite"]) {
      const told = (...pull_requests: readonly unknown[]) =>
        hinted(event, { action: "rerequested", [event]: { pull_requests }, repository, sender: { login: "ada" } });
      // A fork's branch stands in pull requests of the fork and of what it was forked from.
      assert.equal(told(of(7, 2), of(42, 1)).pullRequest?.number, 42, event);
      assert.deepEqual(told(of(7, 2)), {}, event);
      assert.deepEqual(told({ number: 7 }), {}, event);
    }
  });

  it("are each tried here", () => {
    const files = readdirSync(FIXTURES).map((file) => file.replace(/\.json$/, ""));
    assert.deepEqual(files.sort(), Object.keys(LEADS_TO).sort());
  });

  it("of another shape lead to nothing, and of very many repositories to a hundred looks", () => {
    const repository = { full_name: "acme/shop", id: 1 };
    const run = { external_id: "shop#42", pull_requests: [] };
    const sender = { login: "ada" };
    const rerun = { action: "rerequested", check_run: run, repository, sender };
    assert.ok(hinted("check_run", rerun).rerunBy);
    for (const json of [
      null,
      [],
      { ...rerun, sender: null },
      { ...rerun, repository: {} },
      { ...rerun, action: "created" },
      { ...rerun, check_run: { external_id: "shop#0", pull_requests: [] } },
      { ...rerun, check_run: { external_id: "shop@branch", pull_requests: [] } },
      { ...rerun, action: "requested_action", requested_action: { identifier: "rm -rf" } },
      { ...rerun, action: "requested_action" },
    ]) {
      assert.deepEqual(hinted("check_run", json), {});
    }
    assert.deepEqual(hinted("constructor", {}), {});
    const many = Array.from({ length: 250 }, (_, id) => ({ full_name: `acme/r${id}`, id: id + 1 }));
    assert.equal(hinted("installation", { repositories: many }).concerns?.length, 100);
  });
});
