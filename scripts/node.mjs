import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { cacheDir, installOnce } from "../infra/install-once.mjs";
import { withProgress } from "../infra/progress.mjs";
import { runNpm, runQuietly } from "./child.mjs";

const pinned = fileURLToPath(new URL("../tools/node/", import.meta.url));

/**
 * True for a Node that strips types by itself (nodejs.org, "Running TypeScript Natively": 22.18, 23.6).
 *
 * @param {string} version
 */
export function stripsTypes(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major >= 24 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);
}

/**
 * Path of a Node that can run the sources: this process's own if it is new enough, else the pinned one
 * from npm, installed once per user.
 *
 * @returns {Promise<string>}
 */
export async function ensureNode() {
  if (stripsTypes(process.versions.node)) return process.execPath;
  const { name, version } = packageForThisMachine();
  const target = join(cacheDir(), "node", version);
  const waiting = () => process.stderr.write(`waiting for another process that installs Node ${version} …\n`);
  await installOnce({
    target,
    onWait: waiting,
    fill: (directory) =>
      withProgress(`installing Node ${version} (this one is ${process.versions.node}, 22.18 is needed)`, () =>
        installPinned(directory, name),
      ),
  });
  return join(target, "bin", "node");
}

/**
 * @param {string} directory
 * @param {string} name
 */
async function installPinned(directory, name) {
  for (const file of ["package.json", "package-lock.json"]) await copyFile(join(pinned, file), join(directory, file));
  await runNpm(["ci", "--include=optional", "--ignore-scripts", "--prefix", directory], directory);
  const binary = join("node_modules", name, "bin", "node");
  if (!existsSync(join(directory, binary)))
    throw new Error(`installing Node: the package "${name}" was left out by npm`);
  await runQuietly(join(directory, binary), ["--version"], {});
  await mkdir(join(directory, "bin"));
  await symlink(join("..", binary), join(directory, "bin", "node"));
}

/** @returns {{name: string, version: string}} */
function packageForThisMachine() {
  /** @type {Record<string, string>} */
  const packages = JSON.parse(readFileSync(join(pinned, "package.json"), "utf8")).optionalDependencies;
  const machine = `${process.platform}-${process.arch}`;
  const found = Object.entries(packages).find(([name]) => name.endsWith(`-${machine}`));
  if (found) return { name: found[0], version: found[1] };
  throw new Error(
    `Node ${process.versions.node} is too old and npm has none for "${machine}": install Node 22.18 or newer`,
  );
}
