/** `commentTemplate`: read and checked with the rest of the file, so that no comment fails for it later. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { readTemplate } from "../comment-template.ts";
import type { OperatorConfig } from "./types.ts";
import type { Misfit } from "./yaml-file.ts";

export async function templateOf(
  typed: string | undefined,
  directory: string,
): Promise<Pick<OperatorConfig, "commentTemplate"> & { readonly misfits: readonly Misfit[] }> {
  if (typed === undefined) return { misfits: [] };
  const file = resolve(directory, typed);
  const misfit = (message: string): Misfit => ({ path: ["commentTemplate"], message });
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    return { misfits: [misfit(`"${file}" cannot be read${code}`)] };
  }
  const read = await readTemplate(text);
  if ("render" in read) return { commentTemplate: { file, text }, misfits: [] };
  return { misfits: read.faults.map(({ line, message }) => misfit(`"${typed}", line ${line}: ${message}`)) };
}
