/** Every page of the documentation: where it leads. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { it } from "node:test";
import { anchorsOf, pages, root, textOf } from "./support/pages.ts";

for (const file of pages) {
  it(`${file} leads to files and headings that are there`, () => {
    const links = [...textOf(file).matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, link = ""]) => link);
    if (file === "README.md") assert.ok(links.length > 5);
    for (const link of links) {
      const [path, heading] = link.split("#");
      const target = path ? join(dirname(file), path) : file;
      assert.ok(existsSync(join(root, target)), link);
      if (heading !== undefined) assert.ok(anchorsOf(target).has(heading), link);
    }
  });
}
