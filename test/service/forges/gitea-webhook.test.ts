import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { z } from "zod";
import { verifyGiteaDelivery } from "../../../service/forges/gitea-webhook.ts";

/** With which the recorded deliveries were signed. */
const SECRET = "a webhook secret";

const recorded = z.object({ headers: z.record(z.string(), z.string()), body: z.string() });

/** Sent by Gitea 1.26.0. */
function delivery(name: string) {
  const text = readFileSync(new URL(`../../fixtures/gitea/deliveries/${name}.json`, import.meta.url), "utf8");
  const { headers, body } = recorded.parse(JSON.parse(text));
  return { headers, body: Buffer.from(body) };
}

function made(body: string, headers: Readonly<Record<string, string | undefined>> = {}, secret = SECRET) {
  return {
    body: Buffer.from(body),
    headers: {
      "content-type": "application/json",
      "x-gitea-event": "pull_request",
      "x-gitea-delivery": "1",
      "x-gitea-signature": createHmac("sha256", secret).update(body).digest("hex"),
      ...headers,
    },
  };
}

describe("a delivery of Gitea", () => {
  const about = { repositoryPath: "acme/shop", number: 1 };
  const outcomes: Readonly<Record<string, object>> = {
    opened: { event: "pull_request", pullRequest: about },
    synchronized: { event: "pull_request", pullRequest: about },
    labelled: { event: "pull_request", pullRequest: about },
    approved: { event: "pull_request_approved", pullRequest: about },
    merged: { event: "pull_request", pullRequest: about },
    commented: { event: "issue_comment", pullRequest: about },
    "comment-edited": { event: "issue_comment" },
    "commented-on-issue": { event: "issue_comment" },
    "pushed-main": { event: "push", pushedTo: "acme/shop" },
    "pushed-side": { event: "push", pushedBranch: { repositoryPath: "acme/shop", gitBranch: "side" } },
  };
  for (const [name, expected] of Object.entries(outcomes)) {
    it(`as recorded (${name}) says what it is about, and no more`, () => {
      const { deliveryId, repositoryId, ...rest } = verifyGiteaDelivery([SECRET], delivery(name));
      assert.deepEqual(rest, expected);
      assert.equal(repositoryId, "1");
      assert.match(deliveryId, /^[0-9a-f-]{36}$/);
    });
  }

  it("is taken under Forgejo's names and under those of before both", () => {
    const { headers, body } = delivery("opened");
    for (const family of ["x-forgejo", "x-gogs"]) {
      const renamed = Object.fromEntries(
        ["signature", "event", "delivery"].map((name) => [`${family}-${name}`, headers[`x-gitea-${name}`]]),
      );
      const found = verifyGiteaDelivery([SECRET], {
        headers: { "content-type": "application/json", ...renamed },
        body,
      });
      assert.deepEqual(found.pullRequest, about);
    }
  });

  it("is taken while a secret is changed, signed with the old one or the new one", () => {
    assert.ok(verifyGiteaDelivery(["newer", SECRET], delivery("opened")));
    assert.ok(verifyGiteaDelivery([SECRET, "older"], delivery("opened")));
  });

  it("of a comment of our own is no news", () => {
    const body = delivery("commented")
      .body.toString()
      .replace('"body": "/preview keep"', '"body": "<!-- stackling:shop#1 -->"');
    const { pullRequest } = verifyGiteaDelivery([SECRET], made(body, { "x-gitea-event": "issue_comment" }));
    assert.equal(pullRequest, undefined);
  });

  it("of a repository that was made or deleted names it", () => {
    const body = JSON.stringify({ action: "deleted", repository: { id: 7, full_name: "acme/tools" } });
    const found = verifyGiteaDelivery([SECRET], made(body, { "x-gitea-event": "repository" }));
    assert.deepEqual(found.concerns, [{ repositoryPath: "acme/tools", repositoryId: "7" }]);
  });

  const { headers, body } = delivery("opened");
  const refused: readonly [string, number, Parameters<typeof verifyGiteaDelivery>[1], (readonly string[])?][] = [
    ["without a signature", 401, { headers: { ...headers, "x-gitea-signature": "", "x-gogs-signature": "" }, body }],
    ["with another's signature", 401, { headers, body }, ["another secret"]],
    ["of which a byte was changed", 401, { headers, body: Buffer.concat([body, Buffer.from(" ")]) }],
    ["signed with an empty secret", 401, made("{}", {}, ""), [""]],
    ["with no configured secret", 401, { headers, body }, []],
    ["with half a signature", 401, made("{}", { "x-gitea-signature": "ab" })],
    ["that is a form", 415, made("{}", { "content-type": "application/x-www-form-urlencoded" })],
    ["without an id", 400, made("{}", { "x-gitea-delivery": undefined })],
    ["without an event", 400, made("{}", { "x-gitea-event": undefined })],
    ["that is no JSON", 400, made("{")],
    ["of a pull request that names none", 400, made("{}")],
  ];
  for (const [what, status, incoming, secrets = [SECRET]] of refused) {
    it(`${what} is refused with ${status}`, () => {
      assert.throws(() => verifyGiteaDelivery(secrets, incoming), { status });
    });
  }
});
