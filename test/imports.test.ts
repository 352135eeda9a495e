/** The directions in which the rooms may know each other (README.md, "The rooms"), checked on the sources. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

interface Import {
  readonly file: string;
  /** A package or `node:` module as written, or the path of a file relative to the root. */
  readonly target: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
  readonly names: readonly string[];
}

const root = fileURLToPath(new URL("..", import.meta.url));
const rooms = ["components", "infra", "service"];
const sources = globSync(
  rooms.map((room) => `${room}/**/*.{ts,mjs}`),
  { cwd: root },
).sort();
const imports = sources.flatMap(importsOf);

/** Libraries that are everybody's tools. Any other package is a vendor's and named in one file. */
const general = new Set([
  // The words between engine and provider, as Pulumi's own.
  "@grpc/grpc-js",
  "@pulumi/pulumi",
  "cli-table3",
  "commander",
  "croner",
  "execa",
  "express",
  "google-protobuf",
  "jose",
  "kysely",
  "p-queue",
  "pg",
  "picocolors",
  "pino",
  "tldts",
  "yaml",
  "zod",
]);

/** Vendors whose SDK is too large for one file: named in this folder and nowhere else. */
const vendorFolders: readonly (readonly [RegExp, string])[] = [
  [/^@pulumi\/kubernetes$|^@kubernetes\//, "components/kubernetes/"],
  [/^@pulumi\/aws$|^@aws-sdk\//, "components/aws/"],
  [/^@pulumi\/neon$|^@neondatabase\//, "components/neon/"],
  [/^@pulumi\/cloudflare$/, "components/cloudflare/"],
  [/^@pulumi\/policy$/, "components/policy/"],
];

/** The installer is fetched apart from the rest: see the file's own words. */
const automationImporters = ["infra/engine-download.ts", "infra/stack-driver.ts"];

const pure = [
  ...sources.filter((file) => file.startsWith("service/comment/")),
  "service/decide.ts",
  "service/policy.ts",
  "service/ready-event.ts",
  "service/status.ts",
];
/** Computes only; what pure code may use. */
const pureModules = new Set([
  "node:crypto",
  "zod",
  // The calendar alone: where nothing is to be called, it sets no timer.
  "croner",
]);

describe("the rooms", () => {
  it("are found by this test", () => {
    for (const room of rooms) assert.ok(sources.some((file) => file.startsWith(`${room}/`)));
  });

  it("keep components free of infra and service", () => {
    assert.deepEqual(crossings("components/", ["infra/", "service/"]), []);
  });

  it("keep infra free of service", () => {
    assert.deepEqual(crossings("infra/", ["service/"]), []);
  });

  it("keep what runs free of tests, benchmarks, chaos and scripts", () => {
    for (const room of rooms) assert.deepEqual(crossings(`${room}/`, ["test/", "bench/", "chaos/", "scripts/"]), []);
  });

  it("import the Automation API in the stack driver only", () => {
    // Types are erased; what counts is who can call it.
    const importers = imports.filter(({ typeOnly }) => !typeOnly).filter(usesAutomation);
    const others = importers.map(({ file }) => file).filter((file) => !automationImporters.includes(file));
    assert.deepEqual(others, []);
  });

  it("name a vendor's SDK in exactly one file, or in its own folder only", () => {
    const importers = new Map<string, Set<string>>();
    for (const { file, specifier } of imports) {
      const name = packageOf(specifier);
      if (name === undefined || general.has(name)) continue;
      importers.set(name, (importers.get(name) ?? new Set()).add(file));
    }
    const astray = [...importers].flatMap(([name, files]) => {
      const folder = vendorFolders.find(([packages]) => packages.test(name))?.[1];
      if (folder === undefined) return files.size > 1 ? [[name, [...files]]] : [];
      const outside = [...files].filter((file) => !file.startsWith(folder) && !file.startsWith("infra/platform/"));
      return outside.length > 0 ? [[name, outside]] : [];
    });
    assert.deepEqual(astray, []);
  });
});

describe("policy, decide, comment and status", () => {
  for (const file of pure.filter((path) => sources.includes(path))) {
    it(`${file} does no I/O, nor what it imports`, () => {
      const outside = reachable(file).flatMap((one) =>
        imports
          .filter((entry) => entry.file === one && !entry.typeOnly && !entry.specifier.startsWith("."))
          .filter(({ specifier }) => !pureModules.has(specifier))
          .map(({ specifier }) => `${one} imports ${specifier}`),
      );
      assert.deepEqual(outside, []);
    });

    it(`${file} reads no clock, no chance and no environment`, () => {
      const found = textOf(file).match(
        /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.|\bprocess\.|\brandomUUID\(/g,
      );
      assert.equal(found, null);
    });
  }
});

describe("sizes", () => {
  it("keep every file under 300 lines", () => {
    const all = globSync(["{bench,components,infra,scripts,service}/**/*.{ts,mjs}"], { cwd: root });
    const long = all
      .map((file) => ({ file, lines: textOf(file).split("\n").length - 1 }))
      .filter(({ lines }) => lines >= 300);
    assert.deepEqual(long, []);
  });

  it("keep reconcile under 60 lines", { skip: !sources.includes("service/reconcile.ts") }, () => {
    const source = parse("service/reconcile.ts");
    const found = source.statements.find(
      (node): node is ts.FunctionDeclaration => ts.isFunctionDeclaration(node) && node.name?.text === "reconcile",
    );
    assert.ok(found, "service/reconcile.ts declares no function named reconcile");
    const line = (position: number): number => source.getLineAndCharacterOfPosition(position).line;
    assert.ok(line(found.end) - line(found.getStart(source)) + 1 < 60);
  });
});

function crossings(from: string, to: readonly string[]): readonly string[] {
  return imports
    .filter(({ file, target }) => file.startsWith(from) && to.some((room) => target.startsWith(room)))
    .map(({ file, target }) => `${file} imports ${target}`);
}

/** `file` and all sources it loads, not counting types. */
function reachable(file: string): readonly string[] {
  const seen = new Set([file]);
  for (const one of seen) {
    for (const entry of imports) {
      if (entry.file === one && !entry.typeOnly && entry.specifier.startsWith(".")) seen.add(entry.target);
    }
  }
  return [...seen];
}

function usesAutomation({ specifier, names }: Import): boolean {
  if (specifier.startsWith("@pulumi/pulumi/automation")) return true;
  return specifier === "@pulumi/pulumi" && names.includes("automation");
}

/** Name of the package that a specifier points into; undefined for files and Node's own modules. */
function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith(".") || specifier.startsWith("node:")) return undefined;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function importsOf(file: string): readonly Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Expression | undefined, typeOnly: boolean, names: readonly string[]): void => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return;
    const { text } = specifier;
    const target = text.startsWith(".") ? relative(root, resolve(root, file, "..", text)) : text;
    found.push({ file, target, specifier: text, typeOnly, names });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword, namesOf(node));
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly, []);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false, []);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, true, []);
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(file));
  return found;
}

function namesOf(node: ts.ImportDeclaration): readonly string[] {
  const bindings = node.importClause?.namedBindings;
  if (!bindings || !ts.isNamedImports(bindings)) return [];
  return bindings.elements.map(({ name, propertyName }) => (propertyName ?? name).text);
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, textOf(file), ts.ScriptTarget.Latest, true);
}

function textOf(file: string): string {
  return readFileSync(join(root, file), "utf8");
}
