import { TerminalError } from "../errors.ts";
import type { DatabaseArgs } from "../ports.ts";

/** Throws `TerminalError` (`SpecInvalid`) where a repository names a baseline that its strategy has no use for. */
export function refuseBaseline(strategy: string, { stack, baseline }: Pick<DatabaseArgs, "stack" | "baseline">): void {
  if (baseline === undefined) return;
  throw new TerminalError({
    reason: "SpecInvalid",
    userMessage: `creating the database of "${stack}": the strategy "${strategy}" starts from no baseline, and the repository names "${baseline}"; take "baseline" out in stackling.yaml, or choose the strategy "clone"`,
  });
}
