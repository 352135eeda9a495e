import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { TerminalError } from "../../../components/errors.ts";
import { EXPORT_FORMATS, type ExportFormat } from "../../money/focus/export.ts";
import { WrongUse } from "../../wrong-use.ts";
import { connect } from "../context.ts";
import { monthOption, textOption } from "../options.ts";
import { printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";

/** A month of costs in FOCUS' columns, into a file or on standard output. */
export const costExport: RunVerb = async ({ options, context }) => {
  const format = formatOption(textOption(options.format) ?? "csv");
  const month = monthOption(textOption(options.month));
  const out = textOption(options.out);
  const { stdout, directory } = context;
  if (out === undefined && format === "parquet") throw new WrongUse("writing Parquet: name a file by --out");
  if (out === undefined && options.json) {
    throw new WrongUse("reading --json: standard output is for the file itself, unless --out names another place");
  }
  const client = await connect(options, context);
  const file = await client.exportCosts({ format, ...(month === undefined ? {} : { month }) });
  if (out === undefined) {
    stdout.write(file.toString("utf8"));
    return 0;
  }
  const path = resolve(directory, out);
  await writeFile(path, file).catch((cause: NodeJS.ErrnoException) => {
    const userMessage = `writing "${path}": ${cause.code ?? cause.message}`;
    throw new TerminalError({ reason: "NotWritable", userMessage, cause });
  });
  if (options.json) printJson(stdout, { file: path, format, bytes: file.length });
  else printLine(stdout, `wrote ${path}, ${file.length} bytes`);
  return 0;
};

function formatOption(value: string): ExportFormat {
  const known = EXPORT_FORMATS.find((one) => one === value);
  if (known !== undefined) return known;
  throw new WrongUse(`reading --format: "${value}" is none of ${EXPORT_FORMATS.join(", ")}`);
}
