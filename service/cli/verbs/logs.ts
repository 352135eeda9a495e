import type { LogLine } from "../../../components/ports.ts";
import type { DeployLine, Deployment } from "../../deployments/deployment.ts";
import { type CliContext, connect } from "../context.ts";
import { countOption, textOption } from "../options.ts";
import { age, colorsFor, plain, printJson, printLine, table } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const logs: RunVerb = async ({ args: [key = ""], options, context }) => {
  const client = await connect(options, context);
  if (options.deployments === true) return listDeployments(await client.deployments(key), options.json, context);
  if (options.deploy !== undefined) {
    const id = typeof options.deploy === "string" ? options.deploy : "latest";
    const follow = options.follow === true;
    const say = deployPrinter(options.json, context);
    const read = async (signal?: AbortSignal) => {
      for await (const line of client.deployLog(key, id, { follow, ...(signal ? { signal } : {}) })) say(line);
      return 0;
    };
    return follow ? followUntilStopped(read) : read();
  }
  const service = textOption(options.service);
  const query = {
    tail: countOption("tail", options.tail),
    follow: options.follow === true,
    ...(service ? { service } : {}),
  };
  const colors = colorsFor(context.stdout, context.environment);
  const print = (line: LogLine) => {
    if (options.json) printJson(context.stdout, line);
    else printLine(context.stdout, `${colors.dim(line.service.padEnd(10))} ${plain(line.text)}`);
  };
  const work = async (signal?: AbortSignal) => {
    for await (const line of client.logs(key, { ...query, ...(signal ? { signal } : {}) })) print(line);
    return 0;
  };
  return query.follow ? followUntilStopped(work) : work();
};

function listDeployments(all: readonly Deployment[], json: unknown, context: CliContext): number {
  if (json) printJson(context.stdout, { deployments: all });
  else if (all.length === 0) printLine(context.stdout, "none yet");
  else printLine(context.stdout, table(all, COLUMNS(new Date()), context));
  return 0;
}

const COLUMNS = (now: Date) => [
  { title: "NUMBER", value: ({ id }: Deployment) => id },
  { title: "OUTCOME", value: ({ outcome }: Deployment) => (outcome === "interrupted" ? "broken off" : outcome) },
  { title: "AGE", value: ({ at }: Deployment) => age(at, now) },
  {
    title: "WHY",
    value: ({ cause, message }: Deployment) => (message ? `${cause}: ${message}` : cause),
    shrinks: true,
  },
];

/** One line of a deployment: when, by what, and what; a gap is said. */
function deployPrinter(json: unknown, context: CliContext): (line: DeployLine) => void {
  const colors = colorsFor(context.stdout, context.environment);
  const paint = { step: colors.bold, engine: colors.dim, problem: colors.red, output: (text: string) => text };
  let last = 0;
  return (line) => {
    if (json) return printJson(context.stdout, line);
    const { n, at, kind, source, text } = line;
    if (n > last + 1) printLine(context.stdout, colors.yellow(`… ${n - last - 1} lines left out …`));
    last = n;
    printLine(
      context.stdout,
      `${colors.dim(at.slice(11, 19))} ${source ? colors.cyan(source.padEnd(8)) : " ".repeat(8)} ${paint[kind](plain(text))}`,
    );
  };
}

/** Ctrl-C is how one stops following: no failure and nothing to say. */
async function followUntilStopped(work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const stopped = new AbortController();
  const stop = () => stopped.abort();
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    return await work(stopped.signal);
  } catch (error) {
    if (stopped.signal.aborted) return 0;
    throw error;
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}
