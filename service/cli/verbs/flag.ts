import type { PreviewView } from "../../api/preview-view.ts";
import { WrongUse } from "../../wrong-use.ts";
import { connect } from "../context.ts";
import { timeoutOption } from "../options.ts";
import { printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";
import { isSettled, isStopped, waitUntilReady } from "../waiting.ts";

/** Waits until the version that serves has the value, or cannot come. */
export const flag: RunVerb = async ({ args: [given = "", assignment = ""], options, context }) => {
  const [, name, value] = /^([^=]+)=(.*)$/.exec(assignment) ?? [];
  if (name === undefined) {
    throw new WrongUse(`setting a flag of "${given}": "${assignment}" is not of the form name=value`);
  }
  const client = await connect(options, context);
  const after = await client.act(given, { action: "flag", name, ...(value ? { value } : {}) });
  const { key } = after;
  if (hasWished(after, name) && isSettled(after)) {
    if (options.json)
      printJson(context.stdout, { key, url: after.url, condition: after.condition, reason: after.reason });
    else printLine(context.stdout, `${key} has ${name}=${servingValue(after, name)} already`);
    return 0;
  }
  return waitUntilReady({
    client,
    key,
    timeoutMs: timeoutOption(options.timeout),
    json: options.json === true,
    context,
    settled: (now) => isStopped(now) || hasWished(now, name) || now.since !== after.since,
  });
};

function hasWished({ flags = [] }: PreviewView, name: string): boolean {
  const found = flags.find((one) => one.name === name);
  return found === undefined || found.value === found.wished;
}

function servingValue({ flags = [] }: PreviewView, name: string): string {
  return String(flags.find((one) => one.name === name)?.value);
}
