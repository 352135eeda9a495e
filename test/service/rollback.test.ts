import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PreviewSpec } from "../../infra/spec.ts";
import { type Intents, NO_INTENTS } from "../../service/intents.ts";
import {
  goodCommits,
  type Rollback,
  type RolledBack,
  rolledBackOf,
  rolledBackTo,
  type Served,
  servedWith,
  wishedCommit,
} from "../../service/rollback.ts";
import { newStatus, type PreviewStatus } from "../../service/status.ts";
import { pullRequest } from "../support/memory-forge.ts";

const NOW = "2026-11-22T10:00:00.000Z";
const [A, B, C, D] = ["a", "b", "c", "d"].map((digit) => digit.repeat(40)) as [string, string, string, string];
const served = (sha: string, schema = "one"): Served => ({ sha, at: NOW, schema });
const back = (sha: string, head: string): RolledBack => ({ sha, head, by: "@ada", at: NOW });

interface Standing {
  readonly head?: string;
  readonly live?: string;
  readonly served?: readonly Served[];
  readonly intents?: Partial<Intents>;
  /** Digest of the schema now. */
  readonly schema?: string;
  readonly failed?: string;
  /** An update before the failed one came further. */
  readonly migrated?: true;
  readonly interrupted?: boolean;
  readonly database?: PreviewSpec["database"] | undefined;
  readonly stranger?: boolean;
}

function preview({ head = C, live = head, schema = "one", failed, stranger = false, ...rest }: Standing) {
  const { intents = {}, interrupted = false, database = {} } = rest;
  const status: PreviewStatus = {
    ...newStatus(NOW),
    headSha: head,
    interrupted,
    served: rest.served ?? [served(A), served(B), served(C)],
    live: { source: { commit: live }, ...("database" in rest && !rest.database ? {} : { database }) } as PreviewSpec,
    outputs: { schema: { digest: schema } },
    attempted: {
      digest: "",
      ok: failed === undefined,
      terminal: false,
      failures: 0,
      at: NOW,
      ...(failed === undefined ? {} : { failure: { reason: failed, message: "", excerpt: [] } }),
      ...(rest.migrated ? { mayHaveMigrated: true } : {}),
    },
  };
  return {
    status,
    intents: { ...NO_INTENTS, ...intents },
    pullRequest: pullRequest(1, head, { fork: stranger }),
  };
}

type Rolled =
  | Partial<Exclude<Rollback, { problem: string }>>
  | { readonly problem: string; intents?: undefined; answer?: undefined };

const roll = (standing: Standing, sha?: string, keepDatabase = false): Rolled =>
  rolledBackTo(preview(standing), { ...(sha === undefined ? {} : { sha }), keepDatabase }, { by: "@ada", now: NOW });

describe("the commit that a rollback goes to", () => {
  const cases: readonly (readonly [name: string, standing: Standing, asked: string | undefined, to: string])[] = [
    ["the one that served before the head", {}, undefined, B],
    ["the one before that, asked for again", { intents: { rolledBack: back(B, C) }, live: B }, undefined, A],
    ["what serves, where the head never did", { head: D, live: C }, undefined, C],
    ["what serves, where the head never did after a rollback", { head: D, live: A }, undefined, A],
    [
      "what served last, where the head serves and is none to go back to",
      { head: D, served: [{ ...served(A), last: true }, served(B), served(C)] },
      undefined,
      A,
    ],
    ["the one that is named", {}, A, A],
    ["the one that begins so", {}, A.slice(0, 7), A],
    ["the head, which ends it", { intents: { rolledBack: back(A, C) }, live: A }, C.slice(0, 7), C],
    ["the head, which never served", { head: D, live: C, intents: { rolledBack: back(C, D) } }, D, D],
  ];
  for (const [name, standing, asked, to] of cases) {
    it(`is ${name}`, () => {
      const wished = roll(standing, asked);
      assert.equal(wished.problem, undefined);
      const { head = C, intents } = standing;
      assert.equal(wishedCommit({ ...NO_INTENTS, ...intents, ...wished.intents }, head), to);
    });
  }

  const refusals: readonly (readonly [name: string, standing: Standing, asked: string | undefined, why: RegExp])[] = [
    ["that never served", {}, D, /`ddddddd` is no commit that served here; there are `ccccccc`, `bbbbbbb`, `aaaaaaa`/],
    ["of too few digits", {}, "aaaaaa", /is no commit that served here/],
    ["that two begin with", { served: [served(A), served(`${A.slice(0, 39)}b`), served(C)] }, A.slice(0, 9), /several/],
    ["before the first", { head: A, served: [served(A)] }, undefined, /no commit before `aaaaaaa` has served here/],
    ["that a stranger pushed while trusted", { stranger: true }, A, /was never approved/],
  ];
  for (const [name, standing, asked, why] of refusals) {
    it(`is none ${name}`, () => assert.match(roll(standing, asked).problem ?? "", why));
  }

  it("of a stranger is the head again where that was approved, too, and never where it was not", () => {
    const intents = { rolledBack: back(A, C), approved: { sha: A, by: "@ada", at: NOW } };
    const ended = (approved?: true) =>
      roll(
        { stranger: true, live: A, intents, served: [served(A), { ...served(C), ...(approved ? { approved } : {}) }] },
        C,
      );
    assert.deepEqual(ended(true).intents?.approved, { sha: C, by: "@ada", at: NOW });
    assert.equal(ended().intents?.approved, undefined);
  });

  it("is none before anything served", () => {
    const { status, ...rest } = preview({});
    const { live: _live, ...fresh } = status;
    const wished = rolledBackTo({ status: fresh, ...rest }, {}, { by: "api", now: NOW });
    assert.match(wished.problem ?? "", /no version of it has served yet/);
  });

  it("of a stranger is approved again, and nothing else is", () => {
    const { intents } = roll({ stranger: true, served: [{ ...served(A), approved: true }, served(C)] }, A);
    assert.deepEqual(intents?.approved, { sha: A, by: "@ada", at: NOW });
    assert.match(
      roll({ stranger: true, served: [{ ...served(A), approved: true }, served(B)] }, B).problem ?? "",
      /approved/,
    );
  });
});

describe("what a rollback does to the database", () => {
  const cases: readonly (readonly [name: string, standing: Standing, generation: number, keep?: boolean])[] = [
    ["keeps it where the schema is the same", {}, 0],
    ["makes it anew where newer migrations changed it", { schema: "two" }, 1],
    ["makes it anew where nobody can tell", { served: [{ sha: A, at: NOW }, served(B), served(C)] }, 1],
    ["makes it anew while a newer commit is brought up", { head: D, live: C, interrupted: true }, 1],
    ["makes it anew where a newer commit may have migrated it", { head: D, live: C, failed: "MigrationFailed" }, 1],
    ["keeps it where that commit serves still", { live: A, served: [{ sha: A, at: NOW }, served(C)] }, 0],
    ["keeps it where a newer commit never came so far", { head: D, live: C, failed: "BuildFailed" }, 0],
    [
      "makes it anew where one before that did",
      { head: D, live: A, served: [served(A)], failed: "BuildFailed", migrated: true },
      1,
    ],
    ["keeps it where somebody says so", { schema: "two" }, 0, true],
    ["keeps one that is not its own", { schema: "two", database: { shared: true } }, 0],
    ["has none to make anew", { schema: "two", database: undefined }, 0],
    ["makes it anew where each commit has its own", { intents: { databaseFor: C } }, 1],
    ["keeps it there, too, where somebody says so", { intents: { databaseFor: C } }, 0, true],
  ];
  for (const [name, standing, generation, keep] of cases) {
    it(name, () => {
      const { problem, intents } = roll(standing, A, keep);
      assert.equal(problem, undefined);
      assert.equal(intents?.generations?.database ?? 0, generation);
      assert.equal(intents?.databaseFor, standing.intents?.databaseFor === undefined ? undefined : A);
    });
  }

  it("is done once, however often it is asked for", () => {
    const first = roll({ schema: "two" }, A);
    const intents = { ...NO_INTENTS, ...first.intents };
    const again = roll({ schema: "two", intents }, A);
    assert.deepEqual({ ...intents, ...again.intents }, intents);
  });

  it("says what becomes of the data", () => {
    const answer = (standing: Standing, keep?: boolean) => roll(standing, A, keep).answer ?? "";
    assert.match(
      answer({ schema: "two" }),
      /made anew from where it began .* what is in it now is lost; a push follows/,
    );
    assert.match(answer({}), /stays, for its schema is the same; a push follows the head again$/);
    assert.match(answer({ schema: "two" }, true), /stays as newer migrations left it/);
    assert.match(answer({ database: { shared: true } }), /not its own and stays/);
  });

  it("ends with the next promotion where nothing else moves it", () => {
    const promoted = { sha: C, from: "staging", by: "ada", at: NOW, approvals: [] };
    const { answer = "" } = roll({ intents: { ...NO_INTENTS, promoted } }, A);
    assert.match(answer, /; the next promotion ends that$/);
  });
});

describe("a rollback in effect", () => {
  it("ends with a push, and with the preview", () => {
    const { status, intents } = preview({ intents: { rolledBack: back(A, C) }, live: A });
    assert.equal(rolledBackOf({ status, intents })?.sha, A);
    assert.equal(rolledBackOf({ status: { ...status, headSha: D }, intents }), undefined);
    assert.equal(rolledBackOf({ status: { ...status, goneAt: NOW }, intents }), undefined);
    assert.equal(wishedCommit(intents, D), D);
  });

  it("offers what served, but what is wished and the head", () => {
    const offered = (standing: Standing) => goodCommits(preview(standing)).map(({ sha }) => sha);
    assert.deepEqual(offered({}), [B, A]);
    assert.deepEqual(offered({ intents: { rolledBack: back(A, C) }, live: A }), [B]);
    assert.deepEqual(offered({ head: D, live: C }), [C, B, A]);
  });
});

describe("the commits that served", () => {
  const spec = (commit: string, untrusted = false) =>
    ({ source: { commit }, ...(untrusted ? { untrusted: { isolated: true } } : {}) }) as PreviewSpec;

  it("keep the place they came to first, with what is known of them now and which of them served last", () => {
    const list = servedWith({ served: [served(A), { ...served(B), last: true }] }, spec(A), {
      outputs: {},
      now: "2026-12-01T00:00:00.000Z",
    });
    assert.deepEqual(list, [{ sha: A, at: NOW, last: true }, served(B)]);
  });

  it("are the last ten, and say which of them somebody approved", () => {
    const many = Array.from({ length: 12 }, (_, index) => index.toString(16).repeat(40));
    const list = many.reduce(
      (before: readonly Served[], sha) => servedWith({ served: before }, spec(sha, true), { outputs: {}, now: NOW }),
      [],
    );
    assert.deepEqual(
      list.map(({ sha }) => sha),
      many.slice(2),
    );
    assert.ok(list.every(({ approved }) => approved));
  });
});
