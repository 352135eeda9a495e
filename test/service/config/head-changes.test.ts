import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { HEAD_KEYS, type HeadKey, withHead } from "../../../service/config/head-changes.ts";

const BASE = `
# of the base
services:
  web: {command: node web.js, memoryMiB: 200, env: {A: base}}
  api: node api.js
secrets: {STRIPE_KEY: granted}
flags: {beta: false}
`;
const merged = (head: string | undefined, keys: readonly HeadKey[] = HEAD_KEYS) => {
  const { text, taken } = withHead(BASE, head, keys);
  return { whole: parse(text), taken };
};

describe("what a head may change of preview.yaml", () => {
  it("is what the operator lists, and nothing beside it", () => {
    const head = `
services:
  web: {command: node evil.js, memoryMiB: 9000, cpu: 64, env: {A: head}, image: evil}
  api: {command: node evil.js, kind: worker}
  more: node more.js
secrets: {STRIPE_KEY: granted, DEPLOY_KEY: granted}
external: {stripe: off}
access: {ip: [10.0.0.0/8]}
main: api
flags: {beta: true}
`;
    const { whole, taken } = merged(head, ["flags", "services.*.env"]);
    assert.deepEqual(taken, ["flags", "services.web.env"]);
    assert.deepEqual(whole, {
      services: {
        web: { command: "node web.js", memoryMiB: 200, env: { A: "head" } },
        api: { command: "node api.js" },
      },
      secrets: { STRIPE_KEY: "granted" },
      flags: { beta: true },
    });
    const all = merged(head).whole;
    assert.deepEqual([Object.keys(all.services), all.services.web.memoryMiB], [["web", "api"], 200]);
    assert.deepEqual(
      [all.secrets, all.external, all.access, all.main],
      [{ STRIPE_KEY: "granted" }, undefined, undefined, undefined],
    );
  });

  it("is a service's command, short or long", () => {
    assert.deepEqual(merged("services: {api: node next.js}", ["services.*.command"]), {
      whole: { ...parse(BASE), services: { ...parse(BASE).services, api: { command: "node next.js" } } },
      taken: ["services.api.command"],
    });
  });

  for (const [what, head] of [
    ["where the head has none", undefined],
    ["where it says the same", BASE],
    ["where it is no YAML", "services: ["],
    ["where it is no map", "- a\n- b\n"],
    ["where it is of two documents", "flags: {beta: true}\n---\nflags: {}\n"],
    ["where it unfolds to more than anybody writes", bomb()],
    ["where it is larger than anybody writes", `flags: {beta: true}\n# ${"x".repeat(300_000)}`],
    ["where its services are a list", "services: [web]\n"],
    ["where it reaches for an object's own parts", "__proto__: {flags: {beta: true}}\nconstructor: {}\n"],
  ] as const) {
    it(`is nothing ${what}, and the base stays as it was typed`, () => {
      assert.deepEqual(withHead(BASE, head, HEAD_KEYS), { text: BASE, taken: [] });
    });
  }

  it("leaves a base to its own problems", () => {
    assert.deepEqual(withHead("services: [", "flags: {a: true}", HEAD_KEYS), { text: "services: [", taken: [] });
  });
});

function bomb(): string {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 9; i += 1)
    lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(", ")}]`);
  return `${lines.join("\n")}\nflags: *a8\n`;
}
