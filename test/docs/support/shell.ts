/** Shell commands in a page: whether a shell can read them, and whether what they call is there. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { openApi } from "../../../scripts/reference/api.ts";
import { wordsOf, wrongUse } from "./commands.ts";
import type { Finding } from "./finding.ts";
import { root } from "./pages.ts";

/** Programs that are not ours: their words are not judged. */
const FOREIGN = new Set(
  "apt-get aws brew createdb curl docker gh git glab helm kubectl pg_dump playwright promtool psql pulumi xdg-open".split(
    " ",
  ),
);
/** Our packed package, as a file. */
const OURS = /^\.\/stackling-\d+\.\d+\.\d+\.tgz$/;
const BUILT_IN = new Set("cd cp echo export mkdir cat source test true".split(" "));

export function checkShell(text: string, page: string): Finding {
  const shell = faultOfShell(text);
  if (shell) return { fault: shell };
  const commands = commandsOf(text);
  const hasPackage = commands.some(([program, ...words]) => program === "npm" && words.some((word) => OURS.test(word)));
  const findings = commands.map((words) => checkCommand(words, { page, hasPackage }));
  const foreign = [...new Set(findings.flatMap(({ onlyParsed }) => onlyParsed ?? []))].sort();
  const faults = findings.flatMap(({ fault }) => fault ?? []);
  if (faults.length > 0) return { fault: faults.join("\n") };
  return foreign.length > 0 ? { onlyParsed: foreign.join(" ") } : {};
}

/** A session as it looks: `$ command`, and below it what was printed. */
export function checkConsole(text: string, page: string): Finding {
  const typed = text.split("\n").flatMap((line) => (line.startsWith("$ ") ? [line.slice(2)] : []));
  return typed.length === 0 ? { fault: 'no line begins with "$ "' } : checkShell(typed.join("\n"), page);
}

interface Around {
  readonly page: string;
  /** The block installs our package before. */
  readonly hasPackage: boolean;
}

function checkCommand(given: readonly string[], { page, hasPackage }: Around): Finding {
  const words = given.slice(given.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word)));
  const [program = "", first = "", ...rest] = words;
  if (program === "" || /^[A-Za-z_]\w*=/.test(program) || BUILT_IN.has(program)) return {};
  // No registry has a package of ours by that name: who runs it may run anybody's.
  if (program === "npx" && first === "stackling" && !hasPackage) return { fault: "npx stackling: write npx ." };
  const inClone = program === "npx" && ["stackling", "."].includes(first);
  const ours = program === "stackling" ? words.slice(1) : inClone ? rest : undefined;
  if (ours) {
    const fault = wrongUse(ours);
    return fault === undefined ? {} : { fault: `${words.join(" ")}: ${fault}` };
  }
  if (program === "npx") return { onlyParsed: program };
  if (program === "npm") return checkNpm(first, rest, page);
  if (program === "node") return existsSync(join(root, first)) ? {} : { fault: `"${first}" is not there` };
  if (program === "curl" && words.some((word) => word.includes("/api/v1"))) return checkCall(words);
  return FOREIGN.has(program) ? { onlyParsed: program } : { fault: `"${program}" is no program that is known here` };
}

/** Scripts are those of the package that the page lies in. */
function checkNpm(verb: string, rest: readonly string[], page: string): Finding {
  if (["ci", "install", "pack"].includes(verb)) return {};
  const script = verb === "run" ? (rest[0] ?? "") : verb;
  const folder = page.startsWith("examples/") ? dirname(page) : ".";
  const { scripts = {} } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as {
    scripts?: Readonly<Record<string, string>>;
  };
  if (!(script in scripts)) return { fault: `package.json has no script "${script}"` };
  const paths = rest.slice(rest.indexOf("--") + 1).filter((word) => word.startsWith("test/"));
  const absent = rest.includes("--") ? paths.filter((path) => !existsSync(join(root, path))) : [];
  return absent.length > 0 ? { fault: `"${absent.join(", ")}" is not there` } : {};
}

/** Of our API: the call must be there. */
function checkCall(words: readonly string[]): Finding {
  const address = words.find((word) => word.includes("/api/v1")) ?? "";
  const [path = ""] = address.slice(address.indexOf("/api/v1") + "/api/v1".length).split("?");
  const method = words[words.indexOf("-X") + 1] ?? "GET";
  const wanted = words.includes("-X") ? method.toLowerCase() : "get";
  const known = Object.entries(openApi().paths).some(
    ([template, operations]) =>
      wanted in operations && new RegExp(`^${template.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path),
  );
  return known || path === "/openapi.json" ? {} : { fault: `the API has no ${wanted.toUpperCase()} ${path}` };
}

/** Each simple command's words; what lies in a here-document is left out. */
function commandsOf(text: string): readonly (readonly string[])[] {
  return text
    .replaceAll(/<<-?\s*['"]?(\w+)['"]?[^\n]*\n[\s\S]*?^\s*\1$/gm, "")
    .replaceAll("\\\n", " ")
    .split("\n")
    .flatMap(simpleCommands)
    .map(wordsOf)
    .filter((words) => words.length > 0);
}

/** Parts of a line between `&&`, `||`, `|`, `;` and `&`, outside of quotes. */
function simpleCommands(line: string): readonly string[] {
  const [code = ""] = line.split(/(?:^|\s)#/);
  return code.split(/\s(?:&&|\|\|?|;|&)(?:\s|$)|;\s/).filter((part) => part.trim() !== "");
}

function faultOfShell(text: string): string | undefined {
  try {
    execFileSync("sh", ["-n"], { input: text, stdio: ["pipe", "ignore", "pipe"] });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
