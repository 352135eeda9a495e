import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { TerminalError } from "../../../components/errors.ts";
import type { BaselineFinding } from "../../baselines/check.ts";
import type { BaselineView } from "../../baselines/keeper.ts";
import { WrongUse } from "../../wrong-use.ts";
import { type CliContext, connect } from "../context.ts";
import { textOption } from "../options.ts";
import { age, plain, printJson, printLine, table } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const baselineBuild: RunVerb = async ({ args: [name = ""], options, context }) => {
  const client = await connect(options, context);
  const { stdout, stderr } = context;
  let built = false;
  for await (const line of client.buildBaseline(name)) {
    if (options.json) printJson(stdout, line);
    if ("step" in line && !options.json) printLine(stderr, plain(line.step));
    if (!("baseline" in line)) continue;
    built = true;
    if (options.json) continue;
    printLine(stdout, `built baseline ${line.baseline.name}: ${size(line.baseline.bytes)}, ${line.baseline.builtAt}`);
    printFindings(line.findings, context);
  }
  if (!built) throw endedEarly(`building baseline "${name}"`);
  return 0;
};

export const baselineLs: RunVerb = async ({ options, context }) => {
  const client = await connect(options, context);
  const baselines = await client.baselines();
  if (options.json) {
    printJson(context.stdout, { baselines });
    return 0;
  }
  if (baselines.length === 0) {
    printLine(context.stdout, 'there are no baselines: name one under "baselines" in stackling.yaml');
    return 0;
  }
  const now = new Date();
  const columns = [
    { title: "NAME", value: ({ name, newest, builtAt }: BaselineView) => (newest ? name : `${name} of ${builtAt}`) },
    { title: "BUILT", value: (one: BaselineView) => builtOf(one, now) },
    { title: "SIZE", value: ({ bytes, builtAt }: BaselineView) => (builtAt === null ? "" : size(bytes)) },
    { title: "FROM", value: ({ source }: BaselineView) => source ?? "not in the config" },
    { title: "NEXT", value: ({ nextAt, newest }: BaselineView) => (newest ? (nextAt ?? "when asked for") : "") },
  ];
  printLine(context.stdout, table(baselines, columns, context));
  return 0;
};

export const baselineCheck: RunVerb = async ({ args: [name = ""], options, context }) => {
  const file = textOption(options.names);
  const names = file === undefined ? [] : await readNames(resolve(context.directory, file));
  const client = await connect(options, context);
  const { stdout, stderr } = context;
  for await (const line of client.checkBaseline(name, names)) {
    if ("step" in line) {
      if (!options.json) printLine(stderr, plain(line.step));
      continue;
    }
    const { report } = line;
    if (options.json) printJson(stdout, { name, ...report });
    else if (report.findings.length > 0) printFindings(report.findings, context);
    else printLine(stdout, `nothing found in ${report.columns} columns of ${report.rows} rows`);
    return report.findings.length === 0 ? 0 : 1;
  }
  throw endedEarly(`looking into baseline "${name}"`);
};

function printFindings(findings: readonly BaselineFinding[], context: CliContext): void {
  if (findings.length === 0) return;
  printLine(context.stdout, "these look like somebody's:");
  const columns = [
    { title: "TABLE", value: (one: BaselineFinding) => one.table },
    { title: "COLUMN", value: ({ column }: BaselineFinding) => column },
    { title: "FOUND", value: ({ kind }: BaselineFinding) => kind },
    { title: "ROWS", value: ({ rows }: BaselineFinding) => String(rows) },
    { title: "SUCH AS", value: ({ sample }: BaselineFinding) => sample },
  ];
  printLine(context.stdout, table(findings, columns, context));
}

function builtOf({ builtAt, building, failure }: BaselineView, now: Date): string {
  const built = builtAt === null ? "not yet" : `${age(builtAt, now)} ago`;
  if (building) return `${built}, being built`;
  return failure === null ? built : `${built}, the last build failed`;
}

function size(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

async function readNames(file: string): Promise<readonly string[]> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new WrongUse(`reading --names "${file}": the file cannot be read`, error);
  });
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean);
}

function endedEarly(action: string): TerminalError {
  return new TerminalError({ reason: "ServiceAway", userMessage: `${action}: the service went away in the middle` });
}
