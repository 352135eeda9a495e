import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError } from "../../../components/errors.ts";
import { parseApplication } from "../../../service/config/application.ts";

const limits = { memoryMiB: 8192, cpu: 4, services: 15 };
const parse = (text: string, more = {}) =>
  parseApplication(`services: {web: x, api: y, jobs: {kind: worker, command: z}}\n${text}`, {
    file: "preview.yaml",
    limits: { ...limits, ...more },
  }).checks;

function problemsOf(text: string, more = {}): readonly string[] {
  try {
    parse(text, more);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map(({ line, message }) => `${line}: ${message}`);
  }
  return [];
}

describe("smoke tests and gates of preview.yaml", () => {
  it("are none where the file says nothing, and a failure then means nothing", () => {
    assert.equal(parse(""), undefined);
    assert.equal(parse("onFailure: keep\n"), undefined);
  });

  it("take a path alone for a request that must be answered well", () => {
    assert.deepEqual(parse("smoke: [/health]\n"), {
      smoke: [
        {
          name: "GET /health",
          required: true,
          path: "/health",
          method: "GET",
          status: [[200, 399]],
          withinSeconds: 30,
          timeoutSeconds: 10,
        },
      ],
      gates: [],
      onFailure: "rollback",
    });
  });

  it("are read whole", () => {
    const checks = parse(`
smoke:
  - {name: login, path: "/login?x=1", service: api, method: POST, send: {a: 1}, status: [200, "301-303"], within: 1m}
  - {path: /s, json: {"checks[0].ok": true}, contains: ok, headers: {X-Version: "1"}, timeout: 5s, required: false}
gates:
  - {command: npm run e2e, directory: e2e, timeout: 3m}
  - {http: /ready, required: false}
  - {name: errors, errorRate: {query: 'x{s="\${preview.stack}"}[\${window}]', below: 2 %, window: 10m, after: 30s, noData: fail, from: main}}
  - {pageSpeed: {ttfbMs: 500, requests: 20}}
onFailure: keep
`);
    assert.deepEqual(
      checks?.smoke.map(({ name, status, headers, send }) => ({ name, status, headers, send })),
      [
        {
          name: "login",
          status: [
            [200, 200],
            [301, 303],
          ],
          headers: undefined,
          send: { a: 1 },
        },
        { name: "GET /s", status: [[200, 399]], headers: { "x-version": "1" }, send: undefined },
      ],
    );
    assert.deepEqual(checks?.gates[0], {
      name: "npm run e2e",
      required: true,
      kind: "command",
      command: "npm run e2e",
      directory: "e2e",
      timeoutSeconds: 180,
    });
    assert.deepEqual(
      checks?.gates.map(({ kind, required, name }) => [kind, required, name]),
      [
        ["command", true, "npm run e2e"],
        ["http", false, "GET /ready"],
        ["errorRate", true, "errors"],
        ["pageSpeed", true, "Page speed of /"],
      ],
    );
    const rate = checks?.gates[2];
    assert.deepEqual(rate?.kind === "errorRate" && [rate.below, rate.afterSeconds, rate.noData], [0.02, 30, "fail"]);
    assert.equal(checks?.onFailure, "keep");
  });

  it("go to the preview and nowhere else", () => {
    for (const path of ["https://evil.example/", "//evil.example/x", "/a b", "/a\\\\b", "health"]) {
      const [problem = ""] = problemsOf(`smoke: [{path: "${path}"}]\n`);
      assert.match(problem, /^2: "smoke\.0\.path" must be a path such as "\/health"/, path);
    }
  });

  it("say what is wrong with them, each at its line", () => {
    assert.deepEqual(
      problemsOf(`smoke:
  - {path: /a, service: jobs}
  - {path: /b, send: 1}
gates:
  - {command: x, http: /y}
  - {command: x, directory: ../up}
`),
      ['6: "gates.0" must have one of "command", "http", "errorRate", "pageSpeed"'],
    );
    assert.deepEqual(
      problemsOf(`smoke:
  - {path: /a, service: jobs}
  - {path: /b, send: 1}
gates:
  - {command: x, directory: ../up}
  - {errorRate: {query: "a{b=\\"\${preview.name}\\"} \${preview.key}"}}
`),
      [
        '3: check "GET /a of jobs" asks service "jobs", which must be a web service: one of "web", "api"',
        '4: check "GET /b" sends a body; that goes with "method: POST" only',
        '6: check "x": directory "../up" must lie inside the repository',
        '7: gate "Error rate": "${preview.name}" in its query means nothing; known: ${preview.key}, ${preview.stack}, ${preview.host}, ${preview.commit} and ${window}',
        '7: gate "Error rate": "${preview.key}" in its query must stand in "…" or \'…\'',
      ],
    );
    assert.match(problemsOf("smoke: [{path: /a, status: 700}]\n")[0] ?? "", /must be/);
    assert.match(problemsOf('smoke: [{path: /a, status: "300-200"}]\n')[0] ?? "", /must be a status such as 200/);
    assert.match(problemsOf("gates: [{pageSpeed: {path: /}}]\n")[0] ?? "", /needs a budget/);
  });

  it("are no more than the operator allows", () => {
    assert.deepEqual(problemsOf("smoke: [/a, /b]\ngates: [{http: /c}]\n", { checks: 2 }), [
      "2: 3 smoke tests and gates; the operator allows 2",
    ]);
  });
});
