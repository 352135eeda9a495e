import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseOperator } from "../config/operator.ts";
import type { OperatorConfig } from "../config/types.ts";
import { WrongUse } from "../wrong-use.ts";

/** The operator's config at an absolute path. Throws `WrongUse` for a file that cannot be read, `ConfigError` with every problem. */
export async function readOperator(path: string, dataDir: string): Promise<OperatorConfig> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new WrongUse(
      `reading config "${path}": ${error.code === "ENOENT" ? "there is no such file" : error.message}`,
      error,
    );
  });
  return parseOperator(text, { file: path, directory: dirname(path), dataDir });
}
