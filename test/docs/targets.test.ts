/** The page of targets against the code that it speaks of. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { drivers, withMadeParts } from "../../scripts/docs.ts";
import { reasonWords } from "../../service/reason-words.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const textOf = (file: string) => readFileSync(join(root, file), "utf8");

describe("docs/targets.md", () => {
  const text = textOf("docs/targets.md");

  it("has a part with the options of every driver, and is led to from the table of drivers", () => {
    const marked = [...text.matchAll(/<!-- made by scripts\/docs\.ts: options (\w+ \w+) -->/g)].map(([, name]) => name);
    assert.deepEqual([...marked].sort(), [...drivers].sort());
    for (const driver of drivers) {
      assert.ok(text.includes(`\n### ${driver}\n`), `no heading "${driver}"`);
      assert.ok(text.includes(`(#${driver.replace(" ", "-")})`), `no link to "${driver}"`);
    }
  });

  it("names only reasons that there are", () => {
    const rows = text.slice(text.indexOf("| said | means"), text.indexOf("\n\n", text.indexOf("| said | means")));
    const names = [...rows.matchAll(/`([A-Z][A-Za-z]+)`/g)].map(([, name = ""]) => name);
    assert.ok(names.length > 5);
    for (const name of names) assert.notEqual(reasonWords(name).sign, "ℹ️", name);
  });

  it("would notice a table that is older than the code", async () => {
    const older = text.replace("| `namespacePrefix` |", "| `prefix` |");
    assert.notEqual(older, text);
    assert.equal(await withMadeParts(older), text);
  });
});
