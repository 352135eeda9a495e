/** The README's configuration, as a newcomer would copy it. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { verbs } from "../../service/cli/verbs.ts";
import { parseApplication } from "../../service/config/application.ts";
import { defaultLimits } from "../../service/config/defaults.ts";
import { parseOperator } from "../../service/config/operator.ts";

const file = fileURLToPath(new URL("../../README.md", import.meta.url));
const text = readFileSync(file, "utf8");
const yaml = [...text.matchAll(/^( *)```yaml\n([\s\S]*?)^ *```$/gm)].map(([, indent = "", block = ""]) =>
  block.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
);

describe("README.md", () => {
  it("has a preview.yaml that is taken", () => {
    const application = yaml.find((block) => block.startsWith("# preview.yaml")) ?? "";
    assert.equal(parseApplication(application, { file, limits: defaultLimits }).main, "web");
  });

  it("has a stackling.yaml that is taken, with and without its target in the cloud", async () => {
    const operator = yaml.find((block) => block.startsWith("url:")) ?? "";
    const targets = yaml.find((block) => block.startsWith("targets:")) ?? "";
    const place = { file, directory: "/etc/stackling", dataDir: "/data/stackling" };
    assert.equal((await parseOperator(operator, place)).targets[0]?.runs, "source");
    assert.equal((await parseOperator(operator + targets, place)).targets[0]?.runs, "images");
  });

  it("names every verb of the command line", () => {
    const [, section = ""] = /## The command line\n([\s\S]*?)\n## /.exec(text) ?? [];
    const names = verbs.map(({ parent, usage }) => [...(parent ? [parent[0]] : []), usage.split(" ")[0]].join(" "));
    assert.deepEqual(
      names.filter((name) => !section.includes(`\`${name}`)),
      [],
    );
  });

  it("names folders of tests in which there are some", () => {
    const folders = [...text.matchAll(/`npm test -- ([^`]+)`/g)].map(([, folder = ""]) => folder);
    assert.ok(folders.length > 0);
    const root = fileURLToPath(new URL("../..", import.meta.url));
    assert.deepEqual(
      folders.filter((folder) => globSync(`${folder}/**/*.test.ts`, { cwd: root }).length === 0),
      [],
    );
  });
});
