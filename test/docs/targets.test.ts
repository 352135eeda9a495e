/** The documentation of targets and platform against the code that it speaks of. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { parse } from "yaml";
import { readSettings } from "../../infra/platform/settings.ts";
import { drivers, withMadeParts } from "../../scripts/docs.ts";
import { parseOperator } from "../../service/config/operator.ts";
import { reasonWords } from "../../service/reason-words.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const textOf = (file: string) => readFileSync(join(root, file), "utf8");
const FILES = ["docs/targets.md", "docs/platform.md", "docs/forges.md"];

/** Text of every fenced block of one language. */
function blocks(text: string, language: string): readonly string[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, found, block = ""]) =>
    found === language ? [block] : [],
  );
}

for (const file of FILES) {
  describe(file, () => {
    const text = textOf(file);

    it("says of options, permissions and settings what the code says (else: node scripts/docs.ts)", async () => {
      assert.equal(await withMadeParts(text), text);
    });

    const operators = blocks(text, "yaml").filter((block) => block.startsWith("# stackling.yaml"));
    for (const [index, block] of operators.entries()) {
      it(`has a configuration that the service takes (${index + 1})`, async () => {
        // Names that the platform program fills in.
        const filled = block
          .replaceAll("${platform.namespaceId}", "ns-abcdefghijklmnop")
          .replaceAll("${platform.namespaceName}", "previews.internal")
          .replaceAll("${platform.securityGroup}", "sg-0123456789abcdef0")
          .replaceAll(/\$\{platform\.(\w+)\}/g, "$1");
        const config = await parseOperator(filled, { file, directory: "/etc/stackling", dataDir: "/data/stackling" });
        assert.ok(config.targets.length > 0);
      });
    }

    it("has settings of the platform that its program takes", () => {
      for (const block of blocks(text, "yaml").filter((one) => one.startsWith("# Pulumi."))) {
        const { config } = parse(block.replaceAll(/\{secure: [^}]+\}/g, '"value"')) as {
          config: Record<string, unknown>;
        };
        assert.ok(readSettings(config["stackling-platform:settings"]).image);
      }
    });

    it("has programs that TypeScript can read", () => {
      for (const block of blocks(text, "ts")) {
        const source = ts.createSourceFile("block.ts", block, ts.ScriptTarget.Latest, true) as ts.SourceFile & {
          readonly parseDiagnostics: readonly ts.Diagnostic[];
        };
        assert.deepEqual(
          source.parseDiagnostics.map(({ messageText }) => messageText),
          [],
        );
      }
    });
  });
}

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
