import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { overBudget, partsOf } from "../../../service/gates/page-speed.ts";
import { filledQuery, judgeShare, unknownPlaceholder, unquotedPlaceholder } from "../../../service/gates/query.ts";
import {
  type CheckResult,
  countWords,
  failedOne,
  failureWords,
  progressWords,
} from "../../../service/gates/results.ts";
import { faultOf } from "../../../service/gates/smoke.ts";
import { checksMarkdown, checksOf } from "../../../service/gates/words.ts";

const answer = (status: number, body = "", headers = {}) => ({ status, headers, body: Buffer.from(body), cut: false });
const ok: [number, number][] = [[200, 399]];

describe("what an answer must be", () => {
  const cases: readonly (readonly [string, object, ReturnType<typeof answer>, string | undefined])[] = [
    ["any good status", {}, answer(204), undefined],
    ["a status outside", {}, answer(500), "it answered 500, not 200–399"],
    [
      "one of several",
      {
        status: [
          [200, 200],
          [404, 404],
        ],
      },
      answer(301, "", { location: "https://x.dev" }),
      'it answered 301, to "https://x.dev", not 200 or 404',
    ],
    ["text that is there", { contains: "ready" }, answer(200, "it is ready"), undefined],
    ["text that is not", { contains: "ready" }, answer(200, "no"), 'its answer does not hold "ready"'],
    [
      "a header without regard to case",
      { headers: { "content-type": "JSON" } },
      answer(200, "", { "content-type": "application/json" }),
      undefined,
    ],
    [
      "a header that is missing",
      { headers: { etag: "1" } },
      answer(200),
      'its header "etag" is missing, and must hold "1"',
    ],
    [
      "a header that is other",
      { headers: { etag: "1" } },
      answer(200, "", { etag: "2" }),
      'its header "etag" is "2", and must hold "1"',
    ],
    [
      "JSON by path",
      { json: { "a.b[1].c": [1, { d: null }] } },
      answer(200, '{"a":{"b":[0,{"c":[1,{"d":null}]}]}}'),
      undefined,
    ],
    [
      "JSON that is other",
      { json: { status: "ok" } },
      answer(200, '{"status":"down"}'),
      'in its answer "status" is "down", and must be "ok"',
    ],
    [
      "JSON that is missing",
      { json: { status: "ok" } },
      answer(200, "[]"),
      'in its answer "status" is missing, and must be "ok"',
    ],
    ["no JSON", { json: { status: "ok" } }, answer(200, "<html>"), "its answer is not JSON"],
    [
      "JSON that is no map",
      { json: { length: 2 } },
      answer(200, '"ok"'),
      'in its answer "length" is missing, and must be 2',
    ],
    [
      "a name that every object has",
      { json: { "constructor.name": "Object" } },
      answer(200, "{}"),
      'in its answer "constructor.name" is missing, and must be "Object"',
    ],
    [
      "more than is read",
      { json: { a: 1 } },
      { ...answer(200, '{"a":1}'), cut: true },
      "its answer is too long to be read as JSON",
    ],
  ];
  for (const [what, wanted, found, fault] of cases) {
    it(`is told by ${what}`, () => {
      assert.equal(faultOf({ method: "GET", status: ok, ...wanted }, found), fault);
    });
  }

  it("never tells more of an answer than a line", () => {
    const fault = faultOf(
      { method: "GET", status: ok, json: { a: 1 } },
      answer(200, JSON.stringify({ a: "x".repeat(9999) })),
    );
    assert.ok((fault ?? "").length < 200);
  });
});

describe("the query of an error rate", () => {
  const facts = { key: "shop#1", stack: "shop-pr-1", host: "pr-1-shop.localhost:4000", commit: "a".repeat(40) };

  it("has the preview's values and the window in it", () => {
    const query = 'sum(rate(r{p="${preview.stack}",h="${preview.host}"}[${window}]))';
    assert.equal(
      filledQuery({ query, window: "5m" }, facts),
      'sum(rate(r{p="shop-pr-1",h="pr-1-shop.localhost:4000"}[5m]))',
    );
  });

  it("lets no value end the quotes that it stands in", () => {
    const key = 'shop@a"} or vector(0) #\\\n`';
    const filled = filledQuery({ query: 'r{p="${preview.key}"}', window: "5m" }, { ...facts, key });
    assert.equal(filled, 'r{p="shop@a.} or vector(0) #..."}'.replace("#...", "#..."));
    assert.equal(filled.split('"').length, 3);
  });

  it("is refused with a name that means nothing, or outside quotes", () => {
    assert.equal(unknownPlaceholder('r{p="${preview.stack}"}[${window}]'), undefined);
    assert.equal(unknownPlaceholder('r{p="${preview.pod}"}'), "${preview.pod}");
    assert.equal(unknownPlaceholder("${secrets.KEY"), "${secrets.KEY");
    assert.equal(unquotedPlaceholder('r{p="a\\"${preview.key}",q=\'${preview.host}\'}'), undefined);
    assert.equal(unquotedPlaceholder("r{p=`${preview.key}`}"), "${preview.key}");
    assert.equal(unquotedPlaceholder('r{p="a"} + ${preview.key}'), "${preview.key}");
  });

  it("must be below its limit, and says what no data means", () => {
    const gate = { below: 0.01, noData: "pass" as const, window: "5m" };
    assert.deepEqual(judgeShare(gate, 0.002), { ok: true, text: "0.2 % of requests failed in the last 5m, below 1 %" });
    assert.deepEqual(judgeShare(gate, 0.01), {
      ok: false,
      text: "1 % of requests failed in the last 5m; it must be below 1 %",
    });
    assert.deepEqual(judgeShare(gate, undefined), { ok: true, text: "there is no data of the last 5m" });
    assert.equal(judgeShare({ ...gate, noData: "fail" }, undefined).ok, false);
    assert.equal(judgeShare(gate, Number.POSITIVE_INFINITY).ok, false);
  });
});

describe("the budget of a page", () => {
  it("counts what a browser fetches of its own host at once, each once", async () => {
    const html = `<base href="/app/"><link rel=stylesheet href=a.css><link rel=alternate href=feed.xml>
      <script src="/b.js"></script><script src="/b.js#again"></script><script>inline()</script>
      <img src="c.png"><img loading=lazy src="d.png"><img src="data:image/png;base64,aaaa">
      <img src="https://cdn.example/e.png"><img src="//evil.example/f.png"><iframe src="http://127.0.0.1:9/g"></iframe>`;
    const parts = await partsOf(html, new URL("https://pr-1.acme.dev/app/start"));
    assert.deepEqual(
      parts.map(({ href }) => href),
      ["https://pr-1.acme.dev/app/a.css", "https://pr-1.acme.dev/b.js", "https://pr-1.acme.dev/app/c.png"],
    );
  });

  it("names all that is over", () => {
    const found = { ttfbMs: 812.4, totalKB: 1500.2, requests: 31 };
    assert.equal(overBudget({ ttfbMs: 900, totalKB: 2000, requests: 31 }, found), undefined);
    assert.equal(
      overBudget({ ttfbMs: 800, totalKB: 1500, requests: 30 }, found),
      "its first byte came after 812 ms, more than 800 ms; it weighs 1501 KB, more than 1500 KB; it makes 31 requests of its own, more than 30",
    );
  });
});

describe("results", () => {
  const result = (more: Partial<CheckResult>): CheckResult => ({
    ...{ name: "GET /", kind: "smoke", ok: true, required: true, text: "it answered 200 after 3 ms", ms: 3 },
    ...more,
  });

  it("are spoilt by what is required alone", () => {
    const optional = result({ ok: false, required: false });
    const needed = result({ ok: false, kind: "errorRate", name: "errors", text: "3 % failed" });
    assert.equal(failedOne([result({}), optional]), undefined);
    assert.equal(failedOne([optional, needed]), needed);
    assert.equal(failureWords(needed), 'Gate "errors": 3 % failed');
    assert.equal(countWords({ results: [optional, result({})] }), "1 of 2 checks failed");
    assert.equal(countWords({ results: [] }), undefined);
  });

  it("are counted while they come", () => {
    const checks = { smoke: [1, 2], gates: [1] } as never;
    assert.deepEqual(
      [0, 1, 2].map((done) => progressWords(checks, done)),
      ["Smoke tests 1 of 2.", "Smoke tests 2 of 2.", "Gates 1 of 1."],
    );
  });

  it("are shown of the commit that is asked for, the failure first", () => {
    const at = "2026-01-01T00:00:00.000Z";
    const good = { commit: "a", at, results: [] };
    const failedChecks = { ...good, commit: "b", reason: "GateFailed" as const, message: "x" };
    assert.equal(checksOf({ checks: good, failedChecks }, "b"), failedChecks);
    assert.equal(checksOf({ checks: good, failedChecks }, "a"), good);
    assert.equal(checksOf({ checks: good, failedChecks }, "c"), undefined);
  });

  it("cannot write on a forge what an application made of them", () => {
    const text = checksMarkdown({
      results: [
        result({
          ok: false,
          text: 'it is "|x| @ada <img src=x> [a](https://evil.example)"',
          excerpt: ["```", "## hi"],
        }),
      ],
    });
    assert.match(
      text ?? "",
      /\| ❌ \| smoke test "GET \/" \| it is "\\\|x\\\| @\u200bada \\<img src=x\\> \\\[a\\\]\(https:\u200b\/\/evil/,
    );
    assert.match(text ?? "", /````\n```\n## hi\n````/);
  });
});
