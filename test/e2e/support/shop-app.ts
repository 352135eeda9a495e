import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

const SHOP = join(import.meta.dirname, "../../../examples/shop");

/** The example application's committed files by path. */
export async function shopApp(): Promise<Record<string, string>> {
  const entries = await readdir(SHOP, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sources = paths.filter((path) => !relative(SHOP, path).startsWith("node_modules"));
  return Object.fromEntries(
    await Promise.all(sources.map(async (path) => [relative(SHOP, path), await readFile(path, "utf8")] as const)),
  );
}
