import type { LogLine } from "../../../components/ports.ts";
import { connect } from "../context.ts";
import { countOption, textOption } from "../options.ts";
import { colorsFor, plain, printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const logs: RunVerb = async ({ args: [key = ""], options, context }) => {
  const client = await connect(options, context);
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
