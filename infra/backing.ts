/** A preview's parts of servers that previews share, and how its services come to what reaches them. */
import { all, type Input, type Output } from "@pulumi/pulumi";
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

/** A preview's parts, by the name in `external`. */
export type Parts = Readonly<Record<string, Pick<BackingComponent, "values" | "addresses">>>;

/** Secrets of the preview with what reaches its parts, by the names of `backingSecret`. */
export function withParts(
  secrets: Output<Readonly<Record<string, string>>>,
  parts: Parts,
): Output<Readonly<Record<string, string>>> {
  const values = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.values]));
  if (Object.keys(values).length === 0) return secrets;
  return all([secrets, all(values)]).apply(([own, given]) => {
    const named = Object.entries(given).flatMap(([name, held]) =>
      Object.entries(held).map(([value, text]) => [backingSecret(name, value), text] as const),
    );
    return { ...own, ...Object.fromEntries(named) };
  });
}

/** What its processes reach without the egress proxy, as far as those of its parts go beside `direct`. */
export function withAddresses(direct: readonly string[], parts: Parts): Input<readonly string[]> {
  const addresses = Object.values(parts).map((part) => part.addresses);
  if (addresses.length === 0) return direct;
  return all(addresses).apply((found) => [...new Set([...direct, ...found.flat()])]);
}

/** Throws `TerminalError` (`SpecInvalid`) for a part that is not to be had. Asked before anything is declared. */
export function refuseParts({ stack, target, backing = {}, untrusted }: PreviewSpec): void {
  for (const [name, { from }] of Object.entries(backing)) {
    if (untrusted) throw invalid(`giving "${stack}" its part "${name}": a pull request that is not trusted gets none`);
    if (!target.backing?.[from]) throw missing(stack, name, from);
  }
}

/**
 * Declares a component for each server: a preview has one login there, so that names which ask for the same server
 * share the part, and a name can change.
 */
export function declareBacking(
  { stack, tags, target, backing = {}, generations }: PreviewSpec,
  drivers: BackingDrivers = {},
): Parts {
  const byServer = Map.groupBy(Object.entries(backing), ([, { from }]) => from);
  const parts = [...byServer].flatMap(([from, wanted]) => {
    const names = wanted.map(([name]) => name);
    const [driver, choice] = [drivers[from], target.backing?.[from]];
    if (!driver || !choice) throw missing(stack, names.join('", "'), from);
    const options = driver.options.parse(choice.options) as never;
    const topics = [...new Set(wanted.flatMap(([, part]) => part.topics))].sort();
    const args = { stack, tags, options, topics, generation: generations.secrets };
    const part = new driver.component(`backing-${from}`, args);
    return names.map((name) => [name, part] as const);
  });
  return Object.fromEntries(parts);
}

function missing(stack: string, name: string, from: string): TerminalError {
  return invalid(`giving "${stack}" its part "${name}": the target has no backing "${from}"`);
}

function invalid(userMessage: string): TerminalError {
  return new TerminalError({ reason: "SpecInvalid", userMessage });
}
