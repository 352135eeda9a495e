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
  /** Its author is told that it goes. */
  readonly warned: boolean;
  readonly kept: boolean;
  readonly condition: string;
  readonly reason: string;
  /** Why it is gone; undefined while it is not. */
  readonly goneReason: string | undefined;
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
  const ends = previews.map(({ key, stack, status, intents }): readonly [string, End] => {
    const exists = stacks.existing.has(stack);
    // The world and not the record, wherever there is one.
    const end = {
      commit: exists ? status.live?.source.commit : undefined,
      stack: exists,
      awake: exists && awake.get(stack) !== false && status.awake,
      warned: status.warned !== undefined,
      kept: intents.keep,
      condition: status.condition,
      reason: status.reason,
      goneReason: status.goneReason,
    };
    return [key, end];
  });
  return new Map(ends);
}

type Wanted = Pick<End, "commit" | "stack" | "awake" | "warned">;

/** What the script alone says of the end, so that two runs cannot be wrong in the same way. */
export function wrongEnds(deeds: readonly Deed[], ends: ReadonlyMap<string, End>): readonly string[] {
  const numbers = [...new Set(deeds.map(({ number }) => number))].filter((number) => number !== 0);
  return numbers.flatMap((number) => {
    const key = keyOf(number);
    const want = wantedOf(deeds.filter((deed) => deed.number === number));
    const end = ends.get(key);
    const is = end && { commit: end.commit, stack: end.stack, awake: end.awake, warned: end.warned };
    // Opened and closed before anybody heard of it, it needs no record.
    if (!is && !want.stack) return [];
    return JSON.stringify(is) === JSON.stringify(want)
      ? []
      : [`${key}: ${JSON.stringify(is)} in place of ${JSON.stringify(want)}`];
  });
}

const NOTHING: Wanted = { commit: undefined, stack: false, awake: false, warned: false };

function wantedOf(deeds: readonly Deed[]): Wanted {
  const last = deeds.findLast(
    ({ kind }) => kind === "open" || kind === "reopen" || kind === "close" || kind === "merge",
  );
  if (last?.kind === "close" || last?.kind === "merge") return NOTHING;
  const did = (kind: Deed["kind"]) => deeds.some((deed) => deed.kind === kind);
  const visited = (time: number) => deeds.some(({ kind, at }) => kind === "visit" && at === time);
  // What nobody wished to stay or visited is idle for too long before the last visits.
  if (!did("keep") && !did("extend") && !visited(DAY.visitsAt)) return NOTHING;
  const newest = deeds.findLast(({ kind }) => kind === "open" || kind === "push");
  const awake = visited(DAY.lastVisitsAt);
  return { commit: newest && shaOf(newest.number, newest.at), stack: true, awake, warned: !awake && !did("keep") };
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
