import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { matchesPaths, type PathRules } from "../../../service/forges/path-patterns.ts";

describe("path patterns", () => {
  const table: readonly [boolean, PathRules, readonly string[]][] = [
    [true, { paths: ["apps/shop/**"] }, ["apps/shop/src/a.ts"]],
    [false, { paths: ["apps/shop/**"] }, ["apps/shopping/a.ts", "README.md"]],
    [true, { paths: ["apps/shop"] }, ["apps/shop/src/a.ts"]],
    [true, { paths: ["apps/shop/"] }, ["apps/shop/src/a.ts"]],
    [true, { paths: ["Dockerfile"] }, ["Dockerfile"]],
    [false, { paths: ["Dockerfile"] }, ["apps/Dockerfile"]],
    [true, { paths: ["**/Dockerfile"] }, ["apps/Dockerfile"]],
    [true, { paths: ["**/Dockerfile"] }, ["Dockerfile"]],
    [true, { paths: ["*"] }, ["README.md"]],
    [false, { paths: ["*"] }, ["docs/README.md"]],
    [true, { paths: ["**"] }, [".github/workflows/a.yml"]],
    [true, { paths: ["**/*.ts"] }, ["a\nb.ts"]],
    [false, { paths: ["src/*.ts"] }, ["src/deep/a.ts"]],
    [false, { paths: ["a.ts"] }, ["axts"]],
    [false, { ignorePaths: ["docs/**", "**/*.md"] }, ["docs/a.png", "README.md", "apps/README.md"]],
    [true, { ignorePaths: ["docs/**", "**/*.md"] }, ["docs/a.png", "apps/a.ts"]],
    [false, { paths: ["apps/**"], ignorePaths: ["**/*.md"] }, ["apps/README.md", "src/a.ts"]],
    [true, { paths: ["apps/**"], ignorePaths: ["**/*.md"] }, ["apps/README.md", "apps/a.ts"]],
    [false, { paths: ["**"] }, []],
  ];
  for (const [matched, rules, files] of table) {
    it(`${JSON.stringify(rules)} ${matched ? "counts" : "does not count"} ${JSON.stringify(files)}`, () => {
      assert.equal(matchesPaths(rules, files), matched);
    });
  }
});
