/** Deliveries in the shapes that GitLab's docs show ("Webhook events", "System hooks"), by token and by signature. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { RejectedDeliveryError } from "../../../components/errors.ts";
import { verifyGitlabDelivery } from "../../../service/forges/gitlab-webhook.ts";

const SECRETS = ["an older token", "the token"];
const recorded = (name: string) => readFileSync(new URL(`../../fixtures/gitlab/${name}.json`, import.meta.url));
const PLACE = { repositoryPath: "gitlabhq/gitlab-test", number: 1 };

const delivery = (event: string, body: Buffer | unknown, more: Readonly<Record<string, string | undefined>> = {}) => ({
  headers: {
    "content-type": "application/json",
    "x-gitlab-event": event,
    "x-gitlab-event-uuid": "13792a34-cac6-4fda-95a8-c58e00a3954e",
    "x-gitlab-token": "the token",
    ...more,
  },
  body: Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)),
});
const verify = (...given: Parameters<typeof delivery>) => verifyGitlabDelivery(SECRETS, delivery(...given));
const edited = (name: string, edit: (payload: Record<string, Record<string, unknown>>) => void) => {
  const payload = JSON.parse(recorded(name).toString("utf8"));
  edit(payload);
  return payload;
};

describe("a delivery from GitLab", () => {
  it("names the merge request that it is about", () => {
    const { deliveryId, event, pullRequest, repositoryId } = verify("Merge Request Hook", recorded("merge-request"));
    assert.deepEqual([event, pullRequest, repositoryId], ["Merge Request Hook", PLACE, "1"]);
    assert.equal(deliveryId, "13792a34-cac6-4fda-95a8-c58e00a3954e");
  });

  it("keeps its id when GitLab tries again", () => {
    const { deliveryId } = verify("Merge Request Hook", recorded("merge-request"), { "idempotency-key": "f5e57c6e" });
    assert.equal(deliveryId, "f5e57c6e");
  });

  it("names the merge request that somebody wrote a note on, and none for an edit, GitLab's own words or an issue", () => {
    assert.deepEqual(verify("Note Hook", recorded("note")).pullRequest, PLACE);
    const others = [{ action: "update" }, { system: true }, { noteable_type: "Issue" }];
    for (const other of others) {
      const payload = edited("note", ({ object_attributes: note = {} }) => Object.assign(note, other));
      assert.equal(verify("Note Hook", payload).pullRequest, undefined);
    }
  });

  it("takes a note of a GitLab that does not say what was done to it", () => {
    const payload = edited("note", ({ object_attributes: note = {} }) => delete note.action);
    assert.deepEqual(verify("Note Hook", payload).pullRequest, PLACE);
  });

  it("tells a push to the default branch from others", () => {
    assert.equal(verify("Push Hook", recorded("push")).pushedTo, "gitlabhq/gitlab-test");
    const other = edited("push", (payload) => Object.assign(payload, { ref: "refs/heads/master-2" }));
    const { pushedTo, pushedBranch } = verify("Push Hook", other);
    assert.deepEqual([pushedTo, pushedBranch?.gitBranch], [undefined, "master-2"]);
  });

  it("of a group or a server tells which projects something became of", () => {
    const { concerns } = verify("System Hook", recorded("project-rename"));
    assert.deepEqual(concerns, [{ repositoryPath: "jsmith/underscore", repositoryId: "73" }]);
  });

  it("of a server's own hook says in its body alone what became of which merge request or branch", () => {
    const merge = verify("System Hook", recorded("system-merge-request"));
    assert.deepEqual([merge.pullRequest, merge.repositoryId], [PLACE, "1"]);
    const push = verify("System Hook", recorded("system-push"));
    assert.deepEqual([push.pushedTo, push.repositoryId], ["gitlabhq/gitlab-test", "1"]);
  });

  it("of another kind is taken and means nothing", () => {
    for (const kind of ["tag_push", "repository_update"]) {
      const payload = edited("system-push", (sent) => Object.assign(sent, { event_name: kind, ref: "refs/tags/v1" }));
      const { pullRequest, pushedTo, pushedBranch } = verify("System Hook", payload);
      assert.deepEqual([pullRequest, pushedTo, pushedBranch], [undefined, undefined, undefined]);
    }
    const { pullRequest, pushedTo, concerns } = verify("Pipeline Hook", { object_kind: "pipeline" });
    assert.deepEqual([pullRequest, pushedTo, concerns], [undefined, undefined, undefined]);
  });

  it("may bear any of the tokens", () => {
    assert.ok(verify("Push Hook", recorded("push"), { "x-gitlab-token": "an older token" }));
  });

  const now = new Date("2026-03-01T12:00:00Z");
  const key = Buffer.from("0123456789abcdef0123456789abcdef");
  const signing = [`whsec_${key.toString("base64")}`];
  const signed = (body: Buffer, at = now, by = key) => {
    const seconds = String(Math.floor(at.getTime() / 1000));
    const signature = createHmac("sha256", by).update(`id-1.${seconds}.`).update(body).digest("base64");
    return {
      "x-gitlab-token": undefined,
      "webhook-id": "id-1",
      "webhook-timestamp": seconds,
      "webhook-signature": `v1,AAAA v1,${signature}`,
    };
  };

  it("may be signed with the signing token", () => {
    const body = recorded("push");
    const given = delivery("Push Hook", body, signed(body));
    assert.equal(verifyGitlabDelivery(signing, given, () => now).pushedTo, "gitlabhq/gitlab-test");
  });

  const refused: readonly (readonly [string, number, () => unknown])[] = [
    ["bears no token", 401, () => verify("Push Hook", recorded("push"), { "x-gitlab-token": undefined })],
    ["bears another token", 401, () => verify("Push Hook", recorded("push"), { "x-gitlab-token": "the token " })],
    [
      "bears an empty token where one secret is empty",
      401,
      () => verifyGitlabDelivery([""], delivery("Push Hook", recorded("push"), { "x-gitlab-token": "" })),
    ],
    [
      "is signed by another key",
      401,
      () => {
        const body = recorded("push");
        const given = delivery("Push Hook", body, signed(body, now, Buffer.from("another")));
        return verifyGitlabDelivery(signing, given, () => now);
      },
    ],
    [
      "is signed by no key where one signing token holds none",
      401,
      () => {
        const body = recorded("push");
        const given = delivery("Push Hook", body, signed(body, now, Buffer.alloc(0)));
        return verifyGitlabDelivery(["whsec_", "whsec_%%"], given, () => now);
      },
    ],
    [
      "was signed an hour ago",
      401,
      () => {
        const body = recorded("push");
        const given = delivery("Push Hook", body, signed(body, new Date(now.getTime() - 3_600_000)));
        return verifyGitlabDelivery(signing, given, () => now);
      },
    ],
    [
      "is another body than was signed",
      401,
      () => {
        const given = delivery("Push Hook", recorded("note"), signed(recorded("push")));
        return verifyGitlabDelivery(signing, given, () => now);
      },
    ],
    ["is a form", 415, () => verify("Push Hook", recorded("push"), { "content-type": "text/plain" })],
    ["is no JSON", 400, () => verify("Push Hook", Buffer.from("{"))],
    ["has no id", 400, () => verify("Push Hook", recorded("push"), { "x-gitlab-event-uuid": undefined })],
    [
      "of a server's own hook names no merge request",
      400,
      () => verify("System Hook", { object_kind: "merge_request" }),
    ],
    ["names no merge request", 400, () => verify("Merge Request Hook", recorded("push"))],
  ];
  for (const [what, status, act] of refused) {
    it(`is refused when it ${what}`, () => {
      assert.throws(act, (error) => error instanceof RejectedDeliveryError && error.status === status);
    });
  }
});
