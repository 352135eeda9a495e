import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PreviewSpec } from "../../../infra/spec.ts";
import type { StageConfig } from "../../../service/config/stages.ts";
import { type Intents, NO_INTENTS } from "../../../service/intents.ts";
import {
  type Answered,
  missingApprovals,
  type Promotion,
  promotionApproved,
  promotionAsked,
  promotionCancelled,
  promotionDone,
  waitWords,
} from "../../../service/stages/promotion.ts";
import { newStatus, type PreviewStatus } from "../../../service/status.ts";

const NOW = "2026-11-22T10:00:00.000Z";
const LATER = "2026-11-22T11:00:00.000Z";
const [A, B] = ["a".repeat(40), "b".repeat(40)] as [string, string];
const IMAGES = { "acme/shop:a": `acme/shop@sha256:${"1".repeat(64)}` };

function production(more: Partial<StageConfig> & { readonly required?: number } = {}): StageConfig {
  const { required = 0, ...rest } = more;
  return {
    name: "production",
    from: "staging",
    approvals: { required, own: false },
    waitSeconds: 0,
    onFailure: "rollback",
    target: "local",
    secrets: {},
    seed: false,
    ...rest,
  };
}

function staging(sha = A, status: Partial<PreviewStatus> = {}) {
  const live = { source: { commit: sha }, images: IMAGES } as unknown as PreviewSpec;
  const attempted = { digest: "", ok: true, terminal: false, failures: 0, at: NOW };
  const whole: PreviewStatus = { ...newStatus(NOW), condition: "Ready", reason: "Healthy", live, attempted, ...status };
  return { key: "shop:staging", status: whole };
}

const target = (intents: Partial<Intents> = {}) => ({
  status: newStatus(NOW),
  intents: { ...NO_INTENTS, ...intents },
});
const ask = (stage = production(), of: Partial<Intents> = {}, source = staging()) =>
  promotionAsked(target(of), { stage, source }, { by: "@ana", now: NOW });
const problemOf = (answered: Answered) => answered.problem ?? "it was done";

function pending(stage = production({ required: 1 })): Promotion {
  const asked = ask(stage);
  const found = asked.problem === undefined ? asked.intents.promotion : undefined;
  assert.ok(found);
  return found;
}

describe("a promotion", () => {
  it("is of the very commit and images that the stage before serves when it is asked for", () => {
    const { sha, images, from, by } = pending();
    assert.deepEqual({ sha, images, from, by }, { sha: A, images: IMAGES, from: "staging", by: "@ana" });
  });

  it("takes effect at once where nobody must approve and nothing is waited for", () => {
    const promotion = pending(production());
    const done = promotionDone({ promotion }, production(), NOW);
    assert.equal(done?.promoted.sha, A);
    assert.equal(done?.promoted.at, NOW);
    assert.deepEqual([done?.intents.promotion, done?.intents.rolledBack], [undefined, undefined]);
  });

  it("waits for its time, also when it is approved", () => {
    const stage = production({ waitSeconds: 3600 });
    const promotion = pending(stage);
    assert.equal(promotion.dueAt, LATER);
    assert.equal(promotionDone({ promotion }, stage, NOW), undefined);
    assert.match(waitWords(promotion, stage, NOW) ?? "", /waits for 2026-11-22 11:00 UTC$/);
    assert.ok(promotionDone({ promotion }, stage, LATER));
  });

  const refusals: readonly (readonly [what: string, answered: Answered, expected: RegExp])[] = [
    ["to a stage that follows a branch", ask({ ...production(), from: undefined, branch: "main" } as never), /push/],
    [
      "of nothing",
      promotionAsked(target(), { stage: production(), source: undefined }, { by: "x", now: NOW }),
      /serves nothing/,
    ],
    ["of a stage that is gone", ask(production(), {}, staging(A, { goneAt: NOW })), /serves nothing/],
    [
      "of a stage whose newest commit failed",
      ask(production(), {}, staging(A, { condition: "Stalled", reason: "BuildFailed", message: "no" })),
      /not healthy \(BuildFailed: no\); what serves there is `aaaaaaa`/,
    ],
    ["of a stage that is being updated", ask(production(), {}, staging(A, { interrupted: true })), /not healthy/],
    [
      "of what it has already",
      ask(production(), { promoted: { sha: A, images: IMAGES, from: "staging", by: "x", at: NOW, approvals: [] } }),
      /was given `aaaaaaa` already/,
    ],
    [
      "while another one waits",
      ask(production(), { promotion: { ...pending(), sha: B } }),
      /`bbbbbbb` by @ana is still waiting/,
    ],
  ];
  for (const [what, answered, expected] of refusals) {
    it(`is refused ${what}`, () => assert.match(problemOf(answered), expected));
  }

  it("is possible again for a commit that was rolled back", () => {
    const promoted = { sha: A, from: "staging", by: "x", at: NOW, approvals: [] };
    const rolledBack = { sha: B, head: A, by: "itself", at: NOW };
    assert.equal(ask(production(), { promoted, rolledBack }).problem, undefined);
  });

  it("stays what it is when the stage before serves another commit by now", () => {
    const promotion = pending();
    const answered = ask(production(), { promotion }, staging(B));
    assert.match(problemOf(answered), /cancel it first/);
  });

  it("of the same commit with other images is another one", () => {
    const other = { "acme/shop:a": `acme/shop@sha256:${"2".repeat(64)}` };
    const rebuilt = staging(A, { live: { source: { commit: A }, images: other } as unknown as PreviewSpec });
    assert.match(problemOf(ask(production(), { promotion: pending() }, rebuilt)), /cancel it first/);
    const given = { sha: A, images: IMAGES, from: "staging", by: "x", at: NOW, approvals: [] };
    assert.equal(ask(production(), { promoted: given }, rebuilt).problem, undefined);
  });

  it("waits on once the stage takes over from another one, until it is cancelled", () => {
    const promotion = pending(production());
    const moved = production({ from: "qa" });
    assert.equal(promotionDone({ promotion }, moved, LATER), undefined);
    assert.match(waitWords(promotion, moved, NOW) ?? "", /is of "staging", and the stage takes over from "qa" by now/);
    const approved = promotionApproved(target({ promotion }), moved, { sha: A, by: "@ben", now: NOW });
    assert.match(problemOf(approved), /takes over from "qa" by now; cancel it/);
  });

  it("that is asked for twice changes nothing", () => {
    const again = ask(production(), { promotion: pending() });
    assert.deepEqual(again.problem === undefined && again.intents, {});
  });

  it("is over when it is cancelled", () => {
    const cancelled = promotionCancelled(target({ promotion: pending() }));
    assert.deepEqual(cancelled.problem === undefined && cancelled.intents, { promotion: undefined });
    assert.match(problemOf(promotionCancelled(target())), /no promotion is waiting/);
  });

  it("is not cancelled by who was shown another one", () => {
    const { at } = pending();
    const waiting = target({ promotion: pending() });
    assert.equal(promotionCancelled(waiting, { sha: A, at }).problem, undefined);
    assert.match(problemOf(promotionCancelled(waiting, { sha: B, at })), /is of `aaaaaaa`, not of `bbbbbbb`/);
    const since = promotionCancelled(waiting, { sha: A, at: LATER });
    assert.match(problemOf(since), /another one was asked for since, by @ana; look at that first/);
  });
});

describe("a promotion of what holds services of other repositories", () => {
  const asked = (commit: string, given?: string) => {
    const source = staging();
    const { live } = source.status;
    const sources = { api: { commit } } as unknown as PreviewSpec["sources"];
    const promoted = given === undefined ? {} : { promoted: promotionOf({ images: IMAGES, sources: { api: given } }) };
    return promotionAsked(
      { ...target(promoted) },
      {
        stage: production(),
        source: { ...source, status: { ...source.status, live: { ...live, sources } as PreviewSpec } },
      },
      { by: "@ana", now: NOW },
    );
  };

  it("is of their commits too, and may be asked for again when only those are others", () => {
    const first = asked(B);
    assert.deepEqual("intents" in first && first.intents.promotion?.sources, { api: B });
    assert.match(asked(B, B).problem ?? "", /was given `aaaaaaa` already/);
    assert.equal(asked(B, A).problem, undefined);
  });

  function promotionOf(more: object): Promotion {
    return { sha: A, from: "staging", by: "@ana", at: NOW, dueAt: NOW, approvals: [], ...more };
  }
});

describe("an approval of a promotion", () => {
  const stage = production({ approvals: { required: 2, by: ["@ben", "cleo@acme.dev", "@ana"], own: false } });
  const approve = (promotion: Promotion | undefined, by: string, sha = A, of = stage) =>
    promotionApproved(target(promotion ? { promotion } : {}), of, { sha, by, now: NOW });
  const after = (answered: Answered) => {
    assert.equal(answered.problem, undefined);
    return answered.problem === undefined ? answered.intents.promotion : undefined;
  };

  it("counts once for each of those who may, in any case of letters", () => {
    const one = after(approve(pending(stage), "@Ben"));
    assert.ok(one);
    assert.equal(missingApprovals(one, stage), 1);
    const again = approve(one, "@ben");
    assert.deepEqual(again.problem === undefined && again.intents, {});
    const both = after(approve(one, "CLEO@acme.dev"));
    assert.equal(both && promotionDone({ promotion: both }, stage, NOW)?.promoted.approvals.length, 2);
  });

  it("is refused to others, to who asked, and of another commit", () => {
    assert.match(problemOf(approve(pending(stage), "@eve")), /@eve is none of those who may/);
    assert.match(problemOf(approve(pending(stage), "@ana")), /nobody approves what is his own/);
    assert.match(problemOf(approve(pending(stage), "@ben", B)), /is of `aaaaaaa`, not of `bbbbbbb`/);
    assert.match(problemOf(approve(undefined, "@ben")), /no promotion is waiting/);
  });

  it("is of the promotion that was shown, and not of a later one of the same commit", () => {
    const shown = pending(stage);
    const later = { ...shown, by: "@cleo", at: LATER };
    const said = (at: string) =>
      promotionApproved(target({ promotion: later }), stage, { sha: A, at, by: "@ben", now: LATER });
    assert.match(problemOf(said(shown.at)), /another one was asked for since, by @cleo/);
    assert.equal(said(LATER).problem, undefined);
  });

  it("of who asked counts where the operator says so", () => {
    const own = production({ approvals: { required: 1, own: true } });
    const approved = after(approve(pending(own), "@ana", A, own));
    assert.ok(approved && promotionDone({ promotion: approved }, own, NOW));
  });

  it("counts no more once the operator takes that right away", () => {
    const promotion = after(approve(pending(stage), "@ben"));
    const without = production({ approvals: { required: 1, by: ["cleo@acme.dev"], own: false } });
    assert.equal(promotion && missingApprovals(promotion, without), 1);
  });
});
