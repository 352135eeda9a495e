/** The references, and all else in `docs/` that is made from the code. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { withMadeParts } from "../../scripts/docs.ts";
import { apiReference, openApi, routes } from "../../scripts/reference/api.ts";
import { configReference, unexplained } from "../../scripts/reference/config.ts";
import type { JsonSchema } from "../../scripts/reference/markdown.ts";
import { sampleOf } from "../../scripts/reference/sample.ts";
import { examples } from "../../service/cli/examples.ts";
import { nameOf } from "../../service/cli/program.ts";
import { verbs } from "../../service/cli/verbs.ts";
import { wordsOf, wrongUse } from "./support/commands.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("what is made of the code in docs/", () => {
  const files = globSync("docs/**/*.md", { cwd: root, exclude: (name) => name === "node_modules" });
  for (const file of files) {
    const text = readFileSync(join(root, file), "utf8");
    if (!text.includes("<!-- made by scripts/docs.ts:")) continue;
    it(`is as the code has it in ${file} (else: node scripts/docs.ts)`, async () => {
      assert.equal(await withMadeParts(text), text);
    });
  }
});

describe("the reference of the configuration", () => {
  for (const file of ["preview.yaml", "stackling.yaml"]) {
    it(`says of every key of ${file} what it is for`, () => {
      assert.deepEqual(unexplained(file), []);
    });
  }

  it("tells of all alternatives of a key, not of the first one alone", () => {
    const reference = configReference("stackling.yaml");
    assert.match(reference, /id="chat-name-kind">.*\*`slack` or `teams`, needed\.\*/);
    assert.match(reference, /id="chat-name-webhook">.*With `slack`: .*With `teams`: .*, needed with `teams`\.\*/);
  });
});

describe("the examples of the command line", () => {
  it("are there for every verb and for none that is gone", () => {
    assert.deepEqual(Object.keys(examples).sort(), verbs.map(nameOf).sort());
    for (const [name, lines] of Object.entries(examples)) assert.ok(lines.length > 0, name);
  });

  it("are taken by the program, each for its own verb", () => {
    for (const [name, lines] of Object.entries(examples)) {
      for (const [line] of lines) {
        assert.ok(`${line} `.startsWith(`${name} `), line);
        assert.equal(wrongUse(wordsOf(line)), undefined, line);
      }
    }
  });

  it("would be found wrong with an unknown verb, option or argument", () => {
    assert.match(wrongUse(["lsx"]) ?? "", /unknown command/);
    assert.match(wrongUse(["ls", "--all"]) ?? "", /unknown option/);
    assert.match(wrongUse(["show"]) ?? "", /missing required argument/);
    assert.match(wrongUse(["show", "a", "b"]) ?? "", /too many arguments/);
  });
});

describe("the reference of the API", () => {
  it("tells of all alternatives of a body, not of the last one alone", () => {
    const [, actions = ""] = apiReference().split("### POST /previews/{key}/actions");
    for (const word of ["look", "down", "seed"]) assert.match(actions, new RegExp(`\\| \`action\` \\|.*\`${word}\``));
    assert.match(actions, /\| `sha` \|.*With `approve`: .*With `rollback`: /);
  });
});

describe("the examples of the API", () => {
  const { schemas } = openApi().components;
  const operations = Object.values(openApi().paths).flatMap((byMethod) => Object.values(byMethod));

  for (const { id, body, answer } of routes) {
    it(`are what ${id} takes and answers`, () => {
      const operation = operations.find(({ operationId }) => operationId === id);
      assert.ok(operation);
      const sample = (content: Readonly<Record<string, { readonly schema: JsonSchema }>> | undefined) =>
        sampleOf(Object.values(content ?? {})[0]?.schema ?? {}, schemas);
      if (body) assert.deepEqual(body.safeParse(sample(operation.requestBody?.content)).error?.issues, undefined);
      const answered = sample(operation.responses[String(answer.status)]?.content);
      assert.deepEqual(answer.schema.safeParse(answered).error?.issues, undefined);
    });
  }
});
