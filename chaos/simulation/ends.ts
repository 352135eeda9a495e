/** Where previews ended, and where they ought to have. */
import { formatKey } from "../../infra/names.ts";
import type { FakeStacks } from "../../test/support/fake-stacks.ts";
import { shop } from "../../test/support/reconcile-world.ts";
import type { Memory } from "./memory.ts";
import { DAY, type Deed } from "./script.ts";

/** Where a preview ended. */
export interface End {
  readonly commit: string | undefined;
  readonly stack: boolean;
  readonly awake: boolean;
  readonly condition: string;
  readonly reason: string;
}

export function keyOf(number: number): string {
  return formatKey({ repository: shop.name, number });
}

export function stackOf(number: number): string {
  return `${shop.name}-pr-${number}`;
}

export function shaOf(number: number, at: number): string {
  return `${number.toString(16).padStart(8, "0")}${at.toString(16).padStart(8, "0")}`.padEnd(40, "0");
}

export async function endsOf(
  { store }: Memory,
  stacks: FakeStacks,
  awake: ReadonlyMap<string, boolean>,
): Promise<ReadonlyMap<string, End>> {
  const previews = await store.list({ gone: true });
  const ends = previews.map(({ key, stack, status }): readonly [string, End] => {
    const exists = stacks.existing.has(stack);
    // The world and not the record, wherever there is one.
    const end = {
      commit: exists ? status.live?.source.commit : undefined,
      stack: exists,
      awake: exists && awake.get(stack) !== false && status.awake,
      condition: status.condition,
      reason: status.reason,
    };
    return [key, end];
  });
  return new Map(ends);
}

/** What the script alone says of the end, so that two runs cannot be wrong in the same way. */
export function wrongEnds(deeds: readonly Deed[], ends: ReadonlyMap<string, End>): readonly string[] {
  const wanted = new Map<string, Pick<End, "commit" | "stack" | "awake">>();
  for (const { number, at, kind } of deeds) {
    const key = keyOf(number);
    const before = wanted.get(key) ?? { commit: undefined, stack: true, awake: false };
    if (kind === "open" || kind === "push") wanted.set(key, { ...before, commit: shaOf(number, at) });
    if (kind !== "push" && kind !== "visit" && kind !== "open")
      wanted.set(key, { ...before, stack: kind === "reopen" });
    if (kind === "visit" && at >= DAY.lastVisitsAt) wanted.set(key, { ...before, awake: before.stack });
  }
  return [...wanted].flatMap(([key, want]) => {
    const end = ends.get(key);
    const says = { commit: want.stack ? want.commit : undefined, stack: want.stack, awake: want.awake };
    const is = end
      ? { commit: end.commit, stack: end.stack, awake: end.awake }
      : { ...says, stack: false, commit: undefined };
    return JSON.stringify(is) === JSON.stringify(says)
      ? []
      : [`${key}: ${JSON.stringify(is)} in place of ${JSON.stringify(says)}`];
  });
}

export function differences(expected: ReadonlyMap<string, End>, found: ReadonlyMap<string, End>): readonly string[] {
  const keys = [...new Set([...expected.keys(), ...found.keys()])];
  return keys.flatMap((key) => {
    const [want, is] = [expected.get(key), found.get(key)];
    // Opened and closed before anybody heard of it, it needs no record.
    if (!is?.stack && !want?.stack) return is && is.reason !== "Gone" ? [`${key}: ${is.reason} in place of Gone`] : [];
    const [wanted, got] = [JSON.stringify(want), JSON.stringify(is)];
    return wanted === got ? [] : [`${key}: ${got} in place of ${wanted}`];
  });
}
