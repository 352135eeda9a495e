/** What a preview's processes took, summed up from what was seen of them time and again. Pure. */

/** One process or control group, as it is seen. */
export interface Seen {
  /** The same one only ever counts up. */
  readonly source: string;
  /** Service or task it belongs to. */
  readonly resource: string;
  /** CPU time of its own. */
  readonly ownSeconds: number;
  /** CPU time of ended children that it waited for, with all of theirs; 0 of a group, which counts them itself. */
  readonly childSeconds: number;
  readonly memoryBytes: number;
}

export interface UsageTotals {
  /** Another one counts from 0. */
  readonly id: string;
  /** The machine's, from one start to the next. */
  readonly boot: string;
  /** Of the newest look that was counted; absent before the first. */
  readonly atSeconds?: number;
  readonly totals: Readonly<Record<string, Total>>;
  /** What was seen last of each that may be seen again. */
  readonly seen: Readonly<Record<string, Before>>;
}

export interface Total {
  readonly cpuSeconds: number;
  readonly memoryGibSeconds: number;
}

type Before = Omit<Seen, "source"> & { readonly atSeconds: number };

export interface Look {
  readonly boot: string;
  /** Seconds since the machine's start, which no change of its clock moves. */
  readonly atSeconds: number;
  readonly seen: readonly Seen[];
  /** All there are: what is not among them ended. */
  readonly complete: boolean;
}

const GIB = 1024 ** 3;

/**
 * Counts what came about since the look before. Of children that ended between two looks their parent tells; what was
 * seen of them before is not counted again. Memory is taken for what it was in between, on the average. A look that a
 * newer one overtook is left out: what ended in between would count twice.
 */
export function countLook(before: UsageTotals, look: Look): UsageTotals {
  if (before.boot === look.boot && look.atSeconds < (before.atSeconds ?? 0)) return before;
  const known: UsageTotals["seen"] = before.boot === look.boot ? before.seen : {};
  const now = new Map(look.seen.map((seen) => [seen.source, seen]));
  const ended = look.complete ? Object.entries(known).filter(([source]) => !now.has(source)) : [];
  const totals: Record<string, Total> = { ...before.totals };
  for (const resource of new Set(look.seen.map((seen) => seen.resource))) {
    const ours = look.seen.filter((seen) => seen.resource === resource);
    let [own, ofChildren, gibSeconds] = [0, 0, 0];
    for (const seen of ours) {
      const last = known[seen.source];
      own += Math.max(0, seen.ownSeconds - (last?.ownSeconds ?? 0));
      ofChildren += Math.max(0, seen.childSeconds - (last?.childSeconds ?? 0));
      if (last) gibSeconds += heldBetween(last, seen, look.atSeconds);
    }
    const counted = ended.filter(([, last]) => last.resource === resource);
    const already = counted.reduce((sum, [, last]) => sum + last.ownSeconds + last.childSeconds, 0);
    const total = totals[resource] ?? { cpuSeconds: 0, memoryGibSeconds: 0 };
    totals[resource] = {
      cpuSeconds: total.cpuSeconds + own + Math.max(0, ofChildren - already),
      memoryGibSeconds: total.memoryGibSeconds + gibSeconds,
    };
  }
  const kept = look.complete ? {} : known;
  const fresh = look.seen.map(({ source, ...seen }) => [source, { ...seen, atSeconds: look.atSeconds }] as const);
  const { boot, atSeconds } = look;
  return { ...before, boot, atSeconds, totals, seen: { ...kept, ...Object.fromEntries(fresh) } };
}

function heldBetween(last: Before, seen: Seen, atSeconds: number): number {
  const seconds = Math.max(0, atSeconds - last.atSeconds);
  return (((last.memoryBytes + seen.memoryBytes) / 2) * seconds) / GIB;
}
