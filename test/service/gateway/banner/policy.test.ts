import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { amendPolicies } from "../../../../service/gateway/banner/policy.ts";

const sources = {
  script: "https://p/b.js",
  style: "https://p/b.css",
  facts: "https://p/b.json",
  nonce: "n0nce",
};
const JS = "https://p/b.js 'nonce-n0nce'";
const CSS = "https://p/b.css 'nonce-n0nce'";

/** What a page's policy becomes; without the second, it stays as it is to the letter. */
const table: readonly (readonly [outcome: string, before: string, after?: string])[] = [
  ["adds nothing where nothing is forbidden", "frame-ancestors 'self';  upgrade-insecure-requests"],
  ["leaves a sandbox shut", "sandbox allow-forms"],
  ["leaves what is no policy", " ;; "],
  [
    "opens `'none'` for the banner alone",
    "default-src 'none'",
    `default-src 'none'; script-src ${JS}; style-src ${CSS}; connect-src https://p/b.json`,
  ],
  ["takes an empty list for `'none'`", "script-src", `script-src ${JS}`],
  ["takes 'NONE' in any case", "Script-Src 'NONE'", `script-src ${JS}`],
  [
    "spells out what falls back on default-src",
    "default-src 'self' cdn.acme.dev; script-src 'self'",
    `default-src 'self' cdn.acme.dev; script-src 'self' ${JS}; style-src 'self' cdn.acme.dev ${CSS}; connect-src 'self' cdn.acme.dev https://p/b.json`,
  ],
  [
    "widens what governs elements before what governs all scripts",
    "script-src-elem 'none'; script-src 'self'; style-src-elem 'self'",
    `script-src-elem ${JS}; script-src 'self' ${JS}; style-src-elem 'self' ${CSS}`,
  ],
  [
    "passes by its nonce where addresses do not count",
    "script-src 'strict-dynamic' 'nonce-a'",
    `script-src 'strict-dynamic' 'nonce-a' ${JS}`,
  ],
  [
    "does not switch off the 'unsafe-inline' that an application lives on",
    "script-src 'self' 'unsafe-inline'; style-src 'Unsafe-Inline'",
    "script-src 'self' 'unsafe-inline' https://p/b.js; style-src 'Unsafe-Inline' https://p/b.css",
  ],
  [
    "gives a nonce where 'unsafe-inline' is overruled already",
    "script-src 'unsafe-inline' 'sha256-abc'; style-src 'unsafe-inline' 'nonce-a'",
    `script-src 'unsafe-inline' 'sha256-abc' ${JS}; style-src 'unsafe-inline' 'nonce-a' ${CSS}`,
  ],
  [
    "lets the first of two directives count, as browsers do",
    "script-src 'self'; script-src 'none'",
    `script-src 'self' ${JS}`,
  ],
  [
    "amends every policy of a list",
    "script-src 'self', img-src *, connect-src 'self'",
    `script-src 'self' ${JS}, img-src *, connect-src 'self' https://p/b.json`,
  ],
  [
    "leaves trusted types as they are",
    "require-trusted-types-for 'script'; trusted-types 'none'; script-src 'self'",
    `require-trusted-types-for 'script'; trusted-types 'none'; script-src 'self' ${JS}`,
  ],
];

describe("a page's content security policy", () => {
  for (const [outcome, before, after = before] of table) {
    it(outcome, () => assert.equal(amendPolicies(before, sources), after));
  }
});
