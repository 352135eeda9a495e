/**
 * What a preview's commands were ever given to keep, so that it is taken out of what they printed also when it was
 * rotated since, or when none of them lives. Gone with the preview's folder.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { exists, readJson, writeJson } from "./json-file.ts";
import { layout } from "./layout.ts";

/** Before anything is run with them. One file for each set, which the same set never writes again. */
export async function rememberSecrets(dataDir: string, stack: string, secrets: readonly string[]): Promise<void> {
  if (secrets.length === 0) return;
  const { hidden } = layout(dataDir).preview(stack);
  const values = [...new Set(secrets)].sort();
  const name = createHash("sha256").update(JSON.stringify(values)).digest("hex").slice(0, 16);
  const file = join(hidden, `${name}.json`);
  if (await exists(file)) return;
  await mkdir(hidden, { recursive: true, mode: 0o700 });
  await writeJson(file, values);
}

export async function knownSecrets(dataDir: string, stack: string): Promise<readonly string[]> {
  const { hidden } = layout(dataDir).preview(stack);
  const files = (await readdir(hidden).catch(() => [])).filter((name) => name.endsWith(".json"));
  const sets = await Promise.all(files.map((name) => readJson<readonly string[]>(join(hidden, name))));
  return sets.flatMap((values) => values ?? []);
}
