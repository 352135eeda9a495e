import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "../infra/install-once.mjs";
import { withProgress } from "../infra/progress.mjs";
import { runNpm } from "./child.mjs";

/** @typedef {{version?: string, optional?: boolean, os?: string[], cpu?: string[], libc?: string[]}} LockEntry */

/** Development packages are wanted even where NODE_ENV or the user's config leaves them out: tests need them. */
const flags = ["ci", "--include=dev", "--include=optional"];

/**
 * Makes `node_modules` what the lock file says; nothing happens when it is so already. Several
 * processes may ask at once: the first installs.
 *
 * @param {string} root the clone
 */
export async function ensurePackages(root) {
  if (matchesLock(root)) return;
  await withLock({ path: join(root, ".packages.lock"), onWait }, async () => {
    if (matchesLock(root)) return;
    await withProgress("installing packages from the lock file", () => runNpm(flags, root));
  });
}

function onWait() {
  process.stderr.write("waiting for another process that installs the packages …\n");
}

/**
 * npm writes its own record of what is installed as the last thing of an install, so a killed install
 * does not match either. Packages for other systems are not there and need not be.
 *
 * @param {string} root
 */
function matchesLock(root) {
  const wanted = packagesOf(join(root, "package-lock.json"));
  const present = packagesOf(join(root, "node_modules", ".package-lock.json"));
  if (!wanted) throw new Error(`installing packages: "${join(root, "package-lock.json")}" cannot be read`);
  if (!present) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    const found = present[path];
    return found ? found.version === entry.version : entry.optional === true && !isForThisMachine(entry);
  });
}

/**
 * True for the one of a family of platform packages that must be there. Those that name a C library
 * (musl or glibc) are left to npm.
 *
 * @param {LockEntry} entry
 */
function isForThisMachine({ os, cpu, libc }) {
  return os?.includes(process.platform) === true && cpu?.includes(process.arch) === true && !libc;
}

/**
 * @param {string} file
 * @returns {Record<string, LockEntry> | undefined}
 */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}
