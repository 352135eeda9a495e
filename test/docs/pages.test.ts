/** Every page of the documentation: where it leads, and what it says of the two configuration files. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { parseApplication } from "../../service/config/application.ts";
import { defaultLimits } from "../../service/config/defaults.ts";
import { parseOperator } from "../../service/config/operator.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const textOf = (file: string) => readFileSync(join(root, file), "utf8");

for (const file of ["README.md", ...globSync("docs/*.md", { cwd: root })]) {
  it(`${file} leads to files and headings that are there`, () => {
    const links = [...textOf(file).matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, link = ""]) => link);
    if (file === "README.md") assert.ok(links.length > 5);
    for (const link of links) {
      const [path, heading] = link.split("#");
      const target = path ? join(dirname(file), path) : file;
      assert.ok(globSync(target, { cwd: root }).length > 0, link);
      if (heading !== undefined) assert.ok(slugsOf(target).includes(heading), link);
    }
  });
}

describe("docs/config.md", () => {
  const blocks = [...textOf("docs/config.md").matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
  const isApplication = (block: string) => /^services:/m.test(block);

  it("has a preview.yaml of every size that is taken", () => {
    const applications = blocks.filter(isApplication);
    assert.ok(applications.length > 1);
    for (const block of applications) {
      assert.equal(parseApplication(block, { file: "preview.yaml", limits: defaultLimits }).main, "web");
    }
  });

  it("has parts of a stackling.yaml that are taken", async () => {
    const operators = blocks.filter((block) => !isApplication(block));
    assert.ok(operators.length > 3);
    for (const block of operators) {
      const whole = /^repositories:/m.test(block) ? block : `${block}repositories: [{path: ../shop}]\n`;
      const place = { file: "stackling.yaml", directory: "/etc/stackling", dataDir: "/data/stackling" };
      assert.equal((await parseOperator(whole, place)).repositories.length, 1);
    }
  });
});

function slugsOf(file: string): readonly string[] {
  return [...textOf(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^a-z0-9 -]/g, "")
      .replaceAll(" ", "-"),
  );
}
