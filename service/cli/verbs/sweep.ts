import type { Stray, SweepReport } from "../../sweep/report.ts";
import { WrongUse } from "../../wrong-use.ts";
import { connect } from "../context.ts";
import { plain, printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const sweep: RunVerb = async ({ args, options, context }) => {
  const confirmed = options.confirm === true;
  if (args.length > 0 && !confirmed)
    throw new WrongUse("sweeping: names are only for --confirm; without it everything is looked at");
  const client = await connect(options, context);
  const report = await client.sweep({
    dryRun: options.dryRun === true,
    ...(confirmed ? { confirm: args.length > 0 ? [...args] : true } : {}),
  });
  if (options.json) printJson(context.stdout, report);
  else for (const line of linesOf(report)) printLine(context.stdout, plain(line));
  return report.failed.length + report.unread.length === 0 ? 0 : 1;
};

function linesOf(report: SweepReport): readonly string[] {
  const { found, removed, failed, unread, dryRun } = report;
  const faults = new Map(failed.map(({ stack, message }) => [stack, message]));
  const lines = found.flatMap((stray) => {
    const outcome = removed.includes(stray.stack)
      ? "removed"
      : (faults.get(stray.stack) ?? (stray.needsConfirmation ? kept(stray) : "would be removed"));
    return [`${stray.key ?? stray.stack}: ${stray.why}; ${outcome}`, ...partsOf(stray)];
  });
  const sum = dryRun
    ? `${found.length} found, nothing removed`
    : `${found.length} found, ${removed.length} removed, ${failed.length} failed`;
  return [...lines, ...unread.map((words) => `not swept: ${words}`), sum];
}

function kept({ hasStack, key, stack }: Stray): string {
  return hasStack
    ? `kept until "stackling sweep --confirm '${key ?? stack}'"`
    : 'kept until "stackling sweep --confirm"';
}

function partsOf({ things, hasStack, stack }: Stray): readonly string[] {
  return [...(hasStack ? [`  stack ${stack}`] : []), ...things.map(({ kind, id }) => `  ${kind} ${id}`)];
}
