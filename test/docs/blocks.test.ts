/**
 * Every fenced block of every page, held against what would read it: our schemas and commands, Kubernetes' and GitHub's
 * own, the types of the packages that a program calls. What a parser alone can judge, and what nobody here reads, is counted
 * in `only-parsed`, so that nothing goes by unseen: after a change of that kind
 * `UPDATE_GOLDEN=1 node --test test/docs/blocks.test.ts` writes the list anew.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { before, describe, it } from "node:test";
import { ensurePackages } from "../../scripts/packages.mjs";
import { commandOf, quietProgram } from "../../scripts/reference/cli.ts";
import { nameOf } from "../../service/cli/program.ts";
import { verbs } from "../../service/cli/verbs.ts";
import { parseCommands } from "../../service/commands/parse.ts";
import { readTemplate } from "../../service/comment-template.ts";
import { selectorsOf } from "../support/promql.ts";
import { requires } from "../support/requires.ts";
import type { Finding } from "./support/finding.ts";
import { dockerfile, php, python, ruby, sql } from "./support/languages.ts";
import { type Block, blocksOf, pages, root, textOf } from "./support/pages.ts";
import { typeCheck } from "./support/program.ts";
import { checkConsole, checkShell } from "./support/shell.ts";
import { checkYaml } from "./support/yaml.ts";

const LIST = join(root, "test/docs/only-parsed");

type Check = (block: Block) => Finding | Promise<Finding>;

const checks: Readonly<Record<string, Check>> = {
  yaml: ({ text }) => checkYaml(text),
  sh: ({ text, file }) => checkShell(text, file),
  console: ({ text, file }) => checkConsole(text, file),
  json: ({ text }) => parsed(() => JSON.parse(text)),
  ts: program,
  js: program,
  liquid: async ({ text }) => {
    const read = await readTemplate(text);
    return "render" in read ? {} : { fault: JSON.stringify(read) };
  },
  text: ({ text }) => words(text),
  // Forges draw it; the site asks no other host for what would.
  mermaid: ({ file }) => (file.startsWith("docs/") ? { fault: "the site draws none" } : { unread: "a drawing" }),
  nginx: () => ({ unread: "nginx" }),
  sql: ({ text }) => sql(text),
  promql: ({ text }) => parsed(() => text.trimEnd().split("\n").map(selectorsOf)),
  dockerfile: ({ text }) => dockerfile(text),
  python: ({ text }) => python(text),
  ruby: ({ text }) => ruby(text),
  php: ({ text }) => php(text),
};

const onlyParsed: string[] = [];
const unread: string[] = [];
const ourProgram = quietProgram();

for (const file of pages) {
  const blocks = blocksOf(file);
  if (blocks.length === 0) continue;
  describe(file, () => {
    before(() => ensurePackages(join(root, "docs")));
    for (const block of blocks) {
      const { language, line } = block;
      const needs = language === "python" ? requires("python") : {};
      // Counted also where it is skipped: the list is the same everywhere.
      if (language === "python") onlyParsed.push(`${file}: python, Python`);
      it(`has ${language || "a block without a language"} at line ${line} that is taken`, needs, async () => {
        const check = checks[language];
        assert.ok(check, `no check for "${language}": ${Object.keys(checks).join(", ")}`);
        const found = await check(block);
        assert.equal(found.fault, undefined);
        if (found.unread !== undefined) unread.push(`${file}: ${language}, ${found.unread}`);
        if (found.onlyParsed !== undefined && language !== "python")
          onlyParsed.push(`${file}: ${language}, ${found.onlyParsed}`);
      });
    }
  });
}

describe("what is only parsed, or not read", () => {
  it("is what the list counts", () => {
    const counted = (entries: readonly string[]) =>
      [...Map.groupBy(entries.toSorted(), (entry) => entry)].map(([entry, of]) => `${of.length} ${entry}`);
    const text = [
      "# Blocks whose form alone is judged, by page, language and what they are. Written by UPDATE_GOLDEN=1.",
      ...counted(onlyParsed),
      "",
      "# Blocks that nobody here reads.",
      ...counted(unread),
      "",
    ].join("\n");
    if (process.env.UPDATE_GOLDEN) writeFileSync(LIST, text);
    assert.equal(readFileSync(LIST, "utf8"), text);
  });
});

describe("commands that are named in a sentence or table", () => {
  for (const file of pages) {
    it(`are there, in ${file}`, () => {
      const prose = textOf(file).replaceAll(/^( *)```[\s\S]*?^ *```$/gm, "");
      assert.doesNotMatch(prose, /`npx stackling \w/, "no registry has it by that name: write `npx .`");
      const spans = [...prose.matchAll(/`(?:stackling|npx \.) ([^`]+)`/g)].map(([, span = ""]) =>
        span.replaceAll("\n", " "),
      );
      assert.deepEqual(
        spans.flatMap((span) => unknownIn(span) ?? []),
        [],
      );
    });
  }
});

describe("the checks of blocks", () => {
  const found = async (language: string, text: string) =>
    (await checks[language]?.({ file: "docs/x.md", line: 1, language, text }))?.fault ?? "";

  it("would find an unknown key in a whole file and in a part of it", async () => {
    assert.match(await found("yaml", "services:\n  web: {comand: npm start}\n"), /comand/);
    assert.match(await found("yaml", "lifecycle: {sleepAfter: soon}\n"), /sleepAfter/);
    assert.match(await found("yaml", "services: {web: npm start}\n web: 3\n"), /./);
  });

  it("would find a wrong workflow and a wrong manifest", async () => {
    assert.match(await found("yaml", "on: push\njobs: {a: {runs-on: x, step: []}}\n"), /step/);
    const role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nrules: [{verb: [get]}]\n";
    assert.match(await found("yaml", role), /verbs/);
  });

  it("would find a verb, option, script, call or slash command that there is not", async () => {
    assert.match(await found("sh", "stackling lst\n"), /unknown command/);
    assert.match(await found("sh", "cd x && npx . ls --al  # all\n"), /unknown option/);
    assert.match(await found("sh", "npm run nothing\n"), /no script/);
    assert.match(await found("sh", 'curl -X POST "$URL/api/v1/previewz"\n'), /no POST/);
    assert.match(await found("sh", "if true\n"), /./);
    assert.match(await found("text", "/preview slep\n"), /slep/);
  });

  it("would find our name where npx asks a registry for it, and lets it be behind an install of our package", async () => {
    assert.match(await found("sh", "npx stackling ls\n"), /npx \./);
    assert.equal(await found("sh", "npm install ./stackling-0.1.0.tgz\nnpx stackling ls\n"), "");
  });

  it("would find previews in a cluster that are shut off from their database", async () => {
    const targets = (network: string) =>
      `targets: {cluster: {service: {driver: kubernetes, kubeconfig: inCluster${network}}, database: {driver: clone, server: {env: S}}}}\n`;
    assert.match(await found("yaml", targets("")), /egress/);
    assert.equal(await found("yaml", targets(", network: {egress: [{to: {cidr: 10.0.3.0/24}}]}")), "");
  });

  it("would find code that cannot be read", async () => {
    assert.match(await found("ts", "const a: = 3;\n"), /./);
    assert.match(await found("json", "{a: 1}\n"), /./);
    assert.match(await found("liquid", "{% if %}\n"), /./);
    assert.match(await found("ruby", "def a(\n"), /./);
    assert.match(await found("php", "if (true {\n"), /./);
    assert.match(await found("sql", "CREATE ROLE a LOGIN, CREATEDB;\n"), /./);
    assert.match(await found("dockerfile", "FORM mariadb:11\n"), /./);
  });

  it("would find Python that cannot be read", requires("python"), async () => {
    assert.match(await found("python", "def a(:\n    pass\n"), /./);
  });

  it("would find a program that its packages' types refuse", async () => {
    assert.match(await found("js", 'import { jwtVerify } from "jose";\njwtVerify(3);\n'), /argument/);
    const config =
      'import { defineConfig } from "@playwright/test";\nexport default defineConfig({ use: { basURL: "" } });\n';
    assert.match(await found("ts", config), /basURL/);
  });
});

/** Lines of a comment are commands; else it is something printed. */
function words(text: string): Finding {
  const problems = parseCommands(text).flatMap(({ said, asks }) =>
    "problem" in asks ? `${said}: ${asks.problem}` : [],
  );
  if (problems.length > 0) return { fault: problems.join("\n") };
  return /^\/preview/m.test(text) ? {} : { unread: "words" };
}

/** A program for Stackling's own packages must be a file of `examples/`, where the type check has it. */
function program(block: Block): Finding {
  const { text } = block;
  if (!/from "stackling\//.test(text)) return typeCheck(block);
  const files = globSync("examples/**/*.ts", { cwd: root, exclude: (path) => path === "node_modules" });
  const shown = files.some((file) => readFileSync(join(root, file), "utf8").includes(text));
  return shown ? {} : { fault: "it is in no file of examples/, where its types would be checked" };
}

function parsed(read: () => unknown): Finding {
  try {
    read();
    return {};
  } catch (error) {
    return { fault: String(error) };
  }
}

/** Signs of usage (`[KEY]`, `…`, `a|b`) are no words: the verb and its options are looked at. */
function unknownIn(span: string): string | undefined {
  const typed = span
    .replaceAll(/[[\]…]/g, " ")
    .split(/\s+/)
    .filter(Boolean);
  const verb = verbs.map(nameOf).findLast((name) => `${typed.join(" ")} `.startsWith(`${name} `));
  if (verb === undefined) return /^(?:VERB|--)/.test(span) ? undefined : `stackling ${span}: there is no such verb`;
  const own = typed.slice(0, typed.includes("--") ? typed.indexOf("--") : undefined);
  const given = own.flatMap((word) => /^--[a-z-]+/.exec(word)?.[0] ?? []);
  const known = [...commandOf(ourProgram, verb).options.map(({ long }) => long), "--help"];
  const unknown = given.filter((option) => !known.includes(option));
  return unknown.length > 0 ? `stackling ${span}: no option ${unknown.join(", ")}` : undefined;
}
