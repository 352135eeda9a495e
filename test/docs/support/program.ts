/**
 * JavaScript and TypeScript in a page, held against the types of the packages that it calls. A page shows the part of a
 * program that matters; what its reader has around it is declared in `surroundings.ts`.
 */
import { join } from "node:path";
import ts from "typescript";
import type { Finding } from "./finding.ts";
import { type Block, root } from "./pages.ts";
import { surroundings } from "./surroundings.ts";

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2024,
  lib: ["lib.es2024.d.ts", "lib.dom.d.ts"],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  noEmit: true,
  skipLibCheck: true,
  types: ["node"],
};

/** Kept between blocks: most of a check is reading the same declarations. */
const sources = new Map<string, ts.SourceFile | undefined>();

export function typeCheck({ file, text, language }: Block): Finding {
  // In `docs/`, so that the manual's packages are found before those of the root. A page's JavaScript has no types to be
  // strict about: what may be undefined is left to its reader.
  const options = { ...OPTIONS, strict: language === "ts" };
  const name = join(root, "docs", "block.ts");
  const host = ts.createCompilerHost(options);
  const fromDisk = host.getSourceFile.bind(host);
  host.getSourceFile = (path, settings) => {
    if (path === name)
      return ts.createSourceFile(path, `${text}\n${surroundings[file] ?? ""}`, settings, true, ts.ScriptKind.TS);
    if (!sources.has(path)) sources.set(path, fromDisk(path, settings));
    return sources.get(path);
  };
  host.fileExists = (path) => path === name || ts.sys.fileExists(path);
  const program = ts.createProgram([name], options, host);
  const block = program.getSourceFile(name);
  const found = [...program.getSyntacticDiagnostics(block), ...program.getSemanticDiagnostics(block)];
  const said = found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
  const absent = new Set(said.flatMap((words) => absentIn(words) ?? []));
  const faults = said.filter((words) => absentIn(words) === undefined);
  if (faults.length > 0) return { fault: faults.join("\n") };
  return absent.size > 0 ? { onlyParsed: `without the types of ${[...absent].join(", ")}` } : {};
}

/** Of packages whose types nobody installs here: they come with a browser or a framework. */
const ABSENT: Readonly<Record<string, string>> = { Cypress: "cypress", cy: "cypress", beforeEach: "cypress" };

/** The package that a fault is about, where it is one that is not here. */
function absentIn(words: string): string | undefined {
  const [, wanted] = /^Cannot find module '([^']+)'/.exec(words) ?? [];
  const [, name = ""] = /^Cannot find name '(\w+)'/.exec(words) ?? [];
  return wanted === undefined || wanted.startsWith(".") ? ABSENT[name] : wanted;
}
