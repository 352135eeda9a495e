/** Reporter for node:test that writes what `test-file.ts` counts, one JSON object a line. */
import type { TestEvent } from "node:test/reporters";

export interface Outcome {
  readonly outcome: "passed" | "failed" | "skipped";
  readonly name: string;
  /** Why it was skipped or failed; stack included. */
  readonly detail: string;
}

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const names: string[] = [];
  for await (const event of source) {
    if (event.type === "test:start") names[event.data.nesting] = event.data.name;
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    const name = [...names.slice(0, event.data.nesting), event.data.name].join(" > ");
    const outcome = outcomeOf(event, name);
    if (outcome) yield `${JSON.stringify(outcome)}\n`;
  }
}

function outcomeOf(event: Extract<TestEvent, { type: "test:pass" | "test:fail" }>, name: string): Outcome | undefined {
  const { data } = event;
  if (data.skip !== undefined) return { outcome: "skipped", name, detail: String(data.skip) };
  if (data.todo !== undefined) return { outcome: "skipped", name, detail: `todo: ${data.todo}` };
  if (event.type === "test:pass") {
    return event.data.details.type === "suite" ? undefined : { outcome: "passed", name, detail: "" };
  }
  const { error } = event.data.details;
  // The test inside has been counted already; a suite that fails for a reason of its own (a hook) has not.
  if ("failureType" in error && error.failureType === "subtestsFailed") return undefined;
  return { outcome: "failed", name, detail: describe(error) };
}

function describe(error: Error): string {
  const cause = error.cause ?? error;
  if (!(cause instanceof Error)) return String(cause);
  const below = cause.cause instanceof Error ? `\n  caused by ${cause.cause.stack ?? cause.cause.message}` : "";
  return `${cause.stack ?? cause.message}${below}`;
}
