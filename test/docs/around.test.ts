/** What stands around the code: changelog, templates of issues. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { z } from "zod";
import { root, textOf } from "./support/pages.ts";

describe("CHANGELOG.md", () => {
  const versions = [...textOf("CHANGELOG.md").matchAll(/^## \[([^\]]+)\] - (\S+)$/gm)];

  it("begins with the version that this is", () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    assert.equal(versions[0]?.[1], version);
  });

  it("has a date for every version that is out, and none else", () => {
    for (const [, , date = ""] of versions) assert.match(date, /^(unreleased|\d{4}-\d{2}-\d{2})$/);
    assert.equal(
      versions.slice(1).some(([, , date]) => date === "unreleased"),
      false,
    );
  });
});

/** GitHub's "Syntax for GitHub's form schema"; Gitea reads the same. */
const field = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("markdown"), attributes: z.strictObject({ value: z.string().min(1) }) }),
  ...(["textarea", "input", "dropdown"] as const).map((type) =>
    z.strictObject({
      type: z.literal(type),
      id: z.string().regex(/^[\w-]+$/),
      attributes: z.strictObject({
        label: z.string().min(1),
        description: z.string().optional(),
        ...(type === "textarea" ? { render: z.string().optional() } : {}),
        ...(type === "dropdown" ? { options: z.array(z.string()).min(2) } : {}),
      }),
      validations: z.strictObject({ required: z.boolean() }).optional(),
    }),
  ),
]);
const form = z.strictObject({
  name: z.string().min(1),
  description: z.string().min(1),
  body: z.array(field).refine((fields) => fields.some(({ type }) => type !== "markdown"), "asks nothing"),
});

describe("the templates of issues", () => {
  const files = globSync(".github/ISSUE_TEMPLATE/*.yml", { cwd: root }).filter((file) => !file.endsWith("config.yml"));

  for (const file of files) {
    it(`are forms that GitHub and Gitea take: ${file}`, () => {
      const { body } = form.parse(parse(textOf(file)));
      const ids = body.flatMap((one) => ("id" in one ? [one.id] : []));
      assert.equal(new Set(ids).size, ids.length);
    });
  }

  it("are there for GitLab too", () => {
    assert.equal(globSync(".gitlab/issue_templates/*.md", { cwd: root }).length, files.length);
    assert.equal(textOf(".gitlab/merge_request_templates/Default.md"), textOf(".github/PULL_REQUEST_TEMPLATE.md"));
  });
});
