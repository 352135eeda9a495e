/** The oracle's judgement on worlds that are told; that it sees the real one is its selftest's to show. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { listPulls, type Pulls } from "../../chaos/oracle/forge-list.ts";
import type { Asked } from "../../chaos/oracle/hosts.ts";
import { judge, type Seen, wishesOf } from "../../chaos/oracle/judge.ts";
import type { Look } from "../../chaos/oracle/look.ts";
import { type PlaceInput, placeSchema } from "../../chaos/oracle/place.ts";
import { isClean } from "../../chaos/oracle/report.ts";
import { tableOf } from "../../chaos/oracle/table.ts";
import type { Thing } from "../../chaos/oracle/thing.ts";
import { watch } from "../../chaos/oracle/watch.ts";
import { startGithub } from "../support/emulate.ts";
import { createRepository } from "../support/git-repository.ts";

const SHOP = { kind: "local", name: "shop", path: "/srv/git/shop" } as const;
const HEAD = "a".repeat(40);
const OLD = "b".repeat(40);
const HOST = "pr-1-shop.localhost";
const OTHER = "pr-1-api-shop.localhost";

/** One open pull request, whose preview serves its head, and one that is closed and gone; `change` breaks it. */
function findings(change: Partial<Seen> & { place?: Partial<PlaceInput>; pulls?: Partial<Pulls> } = {}) {
  const place = placeSchema.parse({ dataDir: "/data", port: 4000, repositories: [SHOP], ...change.place });
  const pulls: Pulls = {
    open: [{ key: "shop#1", stack: "shop-pr-1", number: 1, headSha: HEAD }],
    closed: [{ key: "shop#2", stack: "shop-pr-2", number: 2 }],
    unseen: [],
    ...change.pulls,
  };
  const seen: Seen = {
    things: [
      { kind: "stack", id: "shop-pr-1.json", stack: "shop-pr-1" },
      { kind: "process", id: "17", stack: "shop-pr-1", part: "web-1" },
    ],
    stacks: new Map([["shop-pr-1", { spec: JSON.stringify({ commit: HEAD }), parts: new Set(["web-1"]) }]]),
    asleep: new Set(),
    hosts: new Map([["shop-pr-1", [HOST, OTHER]]]),
    answers: answering({}),
    ...change,
  };
  return judge(place, wishesOf(place, new Map([["shop", pulls]])), seen);
}

function answering(answers: Readonly<Record<string, Asked>>): Seen["answers"] {
  return new Map<string, Asked>([
    [HOST, { status: 200, text: `hello ${HEAD}` }],
    [OTHER, { status: 404, text: "no such path" }],
    ["pr-2-shop.localhost", { status: 404, text: "{}", page: "Gone" }],
    ...Object.entries(answers),
  ]);
}

const page = (status: number, reason: string): Asked => ({ status, text: "", page: reason });
const atOld: Seen["stacks"] = new Map([["shop-pr-1", { spec: OLD, parts: new Set(["web-1"]) }]]);
const sleeping: Partial<Seen> = { asleep: new Set(["shop-pr-1"]), things: [] };

describe("the oracle", () => {
  it("finds nothing where each open pull request serves its head and the closed one is gone", () => {
    assert.deepEqual(findings(), { orphans: [], lost: [], stuck: [] });
  });

  for (const [what, thing, why] of [
    ["of a closed pull request", { kind: "database", id: "shop_pr_2", stack: "shop-pr-2" }, "shop#2 is closed"],
    ["of no pull request", { kind: "role", id: "x", stack: "x" }, "there is no open pull request of it"],
    [
      "of a release that the stack does not hold",
      { kind: "process", id: "18", stack: "shop-pr-1", part: "web-0" },
      'its stack does not hold "web-0"',
    ],
    ["whose holder is dead", { kind: "lock", id: "l", stack: "shop-pr-1", dead: "it is dead" }, "it is dead"],
    ["of no preview at all, without a service", { kind: "process", id: "19", dead: "nobody's" }, "nobody's"],
  ] as const satisfies readonly (readonly [string, Thing, string])[]) {
    it(`calls an orphan the ${thing.kind} ${what}`, () => {
      const { orphans, lost, stuck } = findings({ things: [thing] });
      assert.deepEqual(
        orphans.map(({ kind, id, why: said }) => [kind, id, said]),
        [[thing.kind, thing.id, why]],
      );
      assert.deepEqual([lost, stuck], [[], []]);
    });
  }

  for (const [what, change] of Object.entries<Parameters<typeof findings>[0]>({
    "serves an older commit": { answers: answering({ [HOST]: { status: 200, text: `hello ${OLD}` } }) },
    "has no preview": { answers: answering({ [HOST]: page(404, "NoSuchPreview") }), stacks: new Map(), things: [] },
    "sleeps at an older commit": { ...sleeping, answers: answering({ [HOST]: page(503, "Asleep") }), stacks: atOld },
    "has no stack, where no host can be asked": { answers: new Map(), stacks: new Map(), things: [] },
    "has a stack of an older commit, where no host can be asked": { answers: new Map(), stacks: atOld },
    "serves other words than it was told": { place: { serves: { "shop#1": "good morning" } } },
  })) {
    it(`calls an event lost when an open pull request ${what}`, () => {
      const { orphans, lost, stuck } = findings(change);
      assert.deepEqual([orphans, stuck], [[], []]);
      assert.deepEqual(
        lost.map(({ key }) => key),
        ["shop#1"],
      );
    });
  }

  it("calls an event lost when a git branch has no number", () => {
    const { lost } = findings({ pulls: { unseen: [{ branch: "new", headSha: HEAD }] } });
    assert.deepEqual(lost, [{ key: "shop@new", wanted: HEAD, found: "its git branch has no number" }]);
  });

  for (const [what, change] of Object.entries<Parameters<typeof findings>[0]>({
    "builds for ever": { answers: answering({ [HOST]: page(503, "Provisioning") }) },
    "does not answer": { answers: answering({ [HOST]: { none: "no answer within 5 s" } }) },
    "answers with an error of its own": { answers: answering({ [HOST]: { status: 500, text: HEAD } }) },
    "is waking": { ...sleeping, answers: answering({ [HOST]: page(503, "Waking") }) },
    "shows as asleep what was not sent to sleep": { answers: answering({ [HOST]: page(503, "Healthy") }) },
    "has a further service that is not there": { answers: answering({ [OTHER]: page(502, "Unreachable") }) },
  })) {
    it(`calls a preview stuck that ${what}`, () => {
      const { orphans, lost, stuck } = findings(change);
      assert.deepEqual([orphans, lost], [[], []]);
      assert.deepEqual(
        stuck.map(({ key }) => key),
        ["shop#1"],
      );
    });
  }

  it("calls a closed one stuck that still answers", () => {
    const { stuck } = findings({ answers: answering({ "pr-2-shop.localhost": { status: 200, text: "still here" } }) });
    assert.deepEqual(stuck, [
      { key: "shop#2", host: "pr-2-shop.localhost", found: 'closed, and HTTP 200, "still here"' },
    ]);
  });

  it("leaves a preview in peace that sleeps at its head, and calls what still runs of it an orphan", () => {
    const asleep = { ...sleeping, answers: answering({ [HOST]: page(503, "Asleep"), [OTHER]: page(503, "Asleep") }) };
    assert.ok(isClean(findings(asleep)));
    const running: Thing = { kind: "process", id: "17", stack: "shop-pr-1", part: "web-1" };
    const { orphans } = findings({ ...asleep, things: [running] });
    assert.equal(orphans[0]?.why, "its preview is asleep");
  });

  it("wants nothing of a pull request that is meant to have no preview, and lets none have things", () => {
    const without = { place: { without: ["shop#1"] }, answers: answering({ [HOST]: page(503, "Blocked") }) };
    assert.ok(isClean(findings({ ...without, things: [] })));
    assert.equal(findings(without).orphans.length, 2);
  });

  it("lets a preview by hand be", () => {
    const stack = "shop-br-main-0d6e40";
    const things: Thing[] = [{ kind: "stack", id: `${stack}.json`, stack }];
    assert.equal(findings({ things }).orphans.length, 1);
    const answers = answering({ "br-main-0d6e40-shop.localhost": { status: 200, text: "by hand" } });
    assert.ok(isClean(findings({ things, answers, place: { byHand: ["shop@main"] } })));
  });

  it("knows nothing of the service and its store", () => {
    const folder = fileURLToPath(new URL("../../chaos/oracle", import.meta.url));
    const sources = globSync("*.ts", { cwd: folder }).map((file) => readFileSync(join(folder, file), "utf8"));
    assert.ok(sources.length > 5);
    // What components and infra import is checked by imports.test.ts.
    for (const text of sources) assert.doesNotMatch(text, /from "[^"]*\/service\/|postgres\/store/);
  });
});

describe("the oracle's table", () => {
  it("names each finding with its reason and age, and ends with the sum", () => {
    const text = tableOf({
      at: "2026-01-01T00:00:00.000Z",
      orphans: [{ kind: "role", id: "shop_pr_2", stack: "shop-pr-2", why: "shop#2 is closed", forMs: 1_250 }],
      lost: [{ key: "shop#1", wanted: HEAD, found: "HTTP 404", forMs: 0 }],
      stuck: [],
      looked: { role: 2 },
      looks: 3,
      tookMs: 2_000,
    });
    assert.deepEqual(text.split("\n"), [
      "looked at 2 × role; 3 looks in 2.0 s",
      "found   what            for    why",
      "orphan  role shop_pr_2  1.3 s  shop#2 is closed",
      `lost    shop#1          0.0 s  wanted ${HEAD}; found: HTTP 404`,
      "1 orphan, 1 lost, 0 stuck",
    ]);
  });
});

describe("the local forge's list", () => {
  it("goes by the branches, and by the records for their numbers", async (t) => {
    const repository = await createRepository({ files: { "a.txt": "a" } });
    t.after(() => repository.remove());
    const head = await repository.commit("open", { "a.txt": "b" });
    const unseen = await repository.commit("unseen", { "a.txt": "c" });
    const record = async (number: number, branch: string, state: string) => {
      await repository.commit("blob", { "record.json": JSON.stringify({ branch, state }, undefined, 1) });
      const oid = await repository.git("rev-parse", "refs/heads/blob:record.json");
      await repository.git("update-ref", `refs/stackling/pull/${number}`, oid);
      await repository.deleteBranch("blob");
    };
    await record(1, "open", "closed");
    await record(2, "open", "open");
    await record(12, "deleted", "open");
    const { open, closed, ...rest } = await listPulls({
      kind: "local",
      name: "shop",
      path: repository.path,
      base: "main",
    });
    assert.deepEqual(open, [{ key: "shop#2", stack: "shop-pr-2", number: 2, headSha: head }]);
    assert.deepEqual(closed.map(({ key }) => key).toSorted(), ["shop#1", "shop#12"]);
    assert.deepEqual(rest.unseen, [{ branch: "unseen", headSha: unseen }]);
  });
});

describe("GitHub's list", () => {
  it("tells open from closed and follows pushes", async (t) => {
    const github = await startGithub({ files: { "a.txt": "a" } });
    t.after(() => github.stop());
    const first = await github.open({ gitBranch: "first", files: { "a.txt": "b" } });
    const second = await github.open({ gitBranch: "second", files: { "a.txt": "c" } });
    const headSha = await github.push(first.number, { "a.txt": "d" });
    await github.close(second.number);
    const { url: baseUrl, path, token } = github;
    const place = { kind: "github", name: "shop", path, baseUrl } as const;
    assert.deepEqual(await listPulls({ ...place, token }), {
      open: [{ key: "shop#1", stack: "shop-pr-1", number: first.number, headSha }],
      closed: [{ key: "shop#2", stack: "shop-pr-2", number: second.number }],
      unseen: [],
    });
    await assert.rejects(listPulls({ ...place, token: "nobody's" }), /acme\/shop.*401/);
  });
});

describe("looking again", () => {
  const clean: Look = { orphans: [], lost: [], stuck: [], looked: {} };
  const orphan = (id: string): Look => ({ ...clean, orphans: [{ kind: "process", id, why: "it is there" }] });

  /** Every look takes 10 ms; the last one is repeated. */
  function looking(looks: readonly (Look | Error)[], withinMs: number) {
    let now = 0;
    let next = 0;
    const look = async () => {
      const seen = looks[Math.min(next++, looks.length - 1)] ?? clean;
      now += 10;
      if (seen instanceof Error) throw seen;
      return seen;
    };
    return watch({ look, now: () => now, pause: async () => (now += 90) }, withinMs);
  }

  it("ends with the first look that finds nothing", async () => {
    const { looks, tookMs, ...report } = await looking([orphan("1"), new Error("down"), clean, orphan("2")], 60_000);
    assert.ok(isClean(report));
    assert.deepEqual([looks, tookMs], [3, 210]);
  });

  it("tells what stays from what comes and goes", async () => {
    const both: Look = { ...clean, orphans: [...orphan("1").orphans, ...orphan("2").orphans] };
    const { orphans } = await looking([orphan("1"), orphan("1"), both], 200);
    assert.deepEqual(
      orphans.map(({ id, forMs }) => [id, forMs]),
      [
        ["1", 200],
        ["2", 0],
      ],
    );
  });

  it("rejects when it could not look in the end", async () => {
    await assert.rejects(looking([orphan("1"), new Error("down")], 200), /down/);
  });
});
