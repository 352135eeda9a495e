/** A preview's parts of servers that previews share, and how its services come to what reaches them. */
import { all, type Output } from "@pulumi/pulumi";
import { TerminalError } from "../components/errors.ts";
import type { BackingArgs, BackingComponent } from "../components/ports.ts";
import type { PreviewSpec } from "./spec.ts";

interface BackingProgramDriver {
  readonly options: { parse(value: unknown): unknown };
  readonly component: new (name: string, args: BackingArgs<never>) => BackingComponent;
}

export type BackingDrivers = Readonly<Record<string, BackingProgramDriver>>;

/** Name of the secret that holds one value of a part: `backingSecret("events", "password")` is `EXTERNAL_EVENTS_PASSWORD`. */
export function backingSecret(external: string, value: string): string {
  return `EXTERNAL_${external.replaceAll("-", "_")}_${value}`.toUpperCase();
}

/** Secrets of the preview with what reaches its parts. */
export function withParts(
  secrets: Output<Readonly<Record<string, string>>>,
  parts: Output<Readonly<Record<string, string>>> | undefined,
): Output<Readonly<Record<string, string>>> {
  return parts ? all([secrets, parts]).apply(([own, given]) => ({ ...own, ...given })) : secrets;
}

/** Throws `TerminalError` (`SpecInvalid`) for a part that is not to be had. Asked before anything is declared. */
export function refuseParts({ stack, target, backing = {}, untrusted }: PreviewSpec): void {
  for (const [name, { from }] of Object.entries(backing)) {
    if (untrusted) throw invalid(`giving "${stack}" its part "${name}": a pull request that is not trusted gets none`);
    if (!target.backing?.[from]) throw missing(stack, name, from);
  }
}

/** Values of all its parts by the names of `backingSecret`; undefined where it has none. */
export function declareBacking(
  { stack, tags, target, backing = {}, generations }: PreviewSpec,
  drivers: BackingDrivers = {},
): Output<Readonly<Record<string, string>>> | undefined {
  const parts = Object.entries(backing).map(([name, { from, topics }]) => {
    const [driver, choice] = [drivers[from], target.backing?.[from]];
    if (!driver || !choice) throw missing(stack, name, from);
    const options = driver.options.parse(choice.options) as never;
    const args = { stack, tags, options, topics, generation: generations.secrets };
    return [name, new driver.component(`backing-${name}`, args).values] as const;
  });
  if (parts.length === 0) return undefined;
  return all(parts.map(([, values]) => values)).apply((found) =>
    Object.fromEntries(
      found.flatMap((values, index) =>
        Object.entries(values).map(([value, text]) => [backingSecret(parts[index]?.[0] ?? "", value), text]),
      ),
    ),
  );
}

function missing(stack: string, name: string, from: string): TerminalError {
  return invalid(`giving "${stack}" its part "${name}": the target has no backing "${from}"`);
}

function invalid(userMessage: string): TerminalError {
  return new TerminalError({ reason: "SpecInvalid", userMessage });
}
