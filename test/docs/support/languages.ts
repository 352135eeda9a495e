/** Code in languages that are not ours, read by parsers that know their whole grammar; nothing of it is run. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Finding, faultOf } from "./finding.ts";
import { root } from "./pages.ts";

const PARSE_PYTHON = "import ast, sys; ast.parse(sys.stdin.read())";

export const python = (text: string): Promise<Finding> =>
  read("Python", () =>
    execFileSync("python3", ["-c", PARSE_PYTHON], { input: text, stdio: ["pipe", "ignore", "pipe"] }),
  );

/** By Prism, the parser of Ruby itself. */
export const ruby = (text: string): Promise<Finding> =>
  read("Ruby", async () => {
    const { loadPrism } = await manuals<Prism>("@ruby/prism/src/index.js");
    const [error] = (await loadPrism())(text).errors;
    if (error) throw new Error(error.message);
  });

export const php = (text: string): Promise<Finding> =>
  read("PHP", async () => {
    const { default: parsers } = await manuals<PhpParser>("php-parser/src/index.js");
    new parsers.Engine({}).parseEval(text);
  });

/** By the grammar of PostgreSQL itself. */
export const sql = (text: string): Promise<Finding> =>
  read("SQL", async () => {
    const { parse } = await manuals<PgQuery>("libpg-query/wasm/index.js");
    await parse(text);
  });

export const dockerfile = (text: string): Promise<Finding> =>
  read("a Dockerfile", async () => {
    const { validate } = await manuals<DockerfileUtils>("dockerfile-utils/lib/main.js");
    const said = validate(text).map(({ message }) => message);
    if (said.length > 0) throw new Error(said.join("\n"));
  });

async function read(kind: string, parse: () => unknown): Promise<Finding> {
  const fault = await faultOf(parse);
  return fault === undefined ? { onlyParsed: kind } : { fault };
}

/** Of the manual's own packages, which the type check has not. */
async function manuals<Module>(path: string): Promise<Module> {
  return (await import(pathToFileURL(join(root, "docs/node_modules", path)).href)) as Module;
}

interface Prism {
  loadPrism(): Promise<(source: string) => { readonly errors: readonly { readonly message: string }[] }>;
}

interface PhpParser {
  readonly default: { readonly Engine: new (options: object) => { parseEval(code: string): unknown } };
}

interface PgQuery {
  parse(query: string): Promise<unknown>;
}

interface DockerfileUtils {
  validate(content: string): readonly { readonly message: string }[];
}
