/** How an executable in `bin/` becomes a program of the sources, or of `dist/` in an installed package. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { become } from "./child.mjs";
import { ensureNode } from "./node.mjs";
import { ensurePackages } from "./packages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Runs a program on a Node that can run it, in this process where possible, otherwise in a child that
 * gets our signals and gives us its exit code. Standard output is the program's alone.
 *
 * @param {string} name path without extension, such as `service/main`
 * @param {readonly string[]} args
 */
export async function runProgram(name, args) {
  const source = join(root, `${name}.ts`);
  const file = existsSync(source) ? source : join(root, "dist", `${name}.js`);
  try {
    if (file === source) await ensurePackages(root);
    const node = await ensureNode();
    if (node !== process.execPath) await become(node, [file, ...args]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
  process.argv = [process.execPath, file, ...args];
  await import(pathToFileURL(file).href);
}
