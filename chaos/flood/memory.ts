/** Whether the memory of a service came back to where it was: what it holds, without what nobody collected yet. */
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { Instance } from "../../test/e2e/support/instance.ts";

/** Mebibytes. */
export interface Memory {
  /** In the machine's memory, with what the allocators keep for later. */
  readonly resident: number;
  /** Objects that are reached from somewhere, and what lies outside of the heap for them. */
  readonly held: number;
}

/** What the allocators may keep more than before. */
const RESIDENT_SLACK = 48;
/** What the service may hold more than before; 10,000 leaks of half a kilobyte do not pass it. */
const HELD_SLACK = 4;
/** Less is no fall. */
const A_FALL = 1;
const SETTLE_MS = 60_000;

interface Rest {
  /** Seconds without a fall after which it is at rest. */
  readonly restsFor: number;
  /** It is at rest, too, when there is nothing to say against it. */
  readonly before?: Memory;
  readonly signal?: AbortSignal | undefined;
}

/** The least that was seen, garbage collected, until it falls no more; deliveries that were taken are worked on meanwhile. */
export async function memoryAtRest(
  instance: Pick<Instance, "memory">,
  { restsFor, before, signal }: Rest,
): Promise<Memory> {
  const deadline = performance.now() + SETTLE_MS;
  let least = await read(instance);
  for (let same = 0; same < restsFor && performance.now() < deadline; same++) {
    if (before && grownTooMuch(before, least).length === 0) return least;
    await pause(1_000, undefined, { signal });
    const now = await read(instance);
    if (now.resident < least.resident - A_FALL || now.held < least.held - A_FALL) same = 0;
    least = { resident: Math.min(least.resident, now.resident), held: Math.min(least.held, now.held) };
  }
  return least;
}

/** One line for each that did not come back. */
export function grownTooMuch(before: Memory, after: Memory): readonly string[] {
  const line = (what: string, from: number, to: number, slack: number) =>
    to <= from + slack ? [] : [`${what} stayed at ${to.toFixed(1)} MiB, ${from.toFixed(1)} MiB before`];
  return [
    ...line("resident memory", before.resident, after.resident, RESIDENT_SLACK),
    ...line("what the service holds", before.held, after.held, HELD_SLACK),
  ];
}

/** As the kernel counts it at this moment; 0 for a process that is no more. */
export async function residentMebibytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024);
}

async function read(instance: Pick<Instance, "memory">): Promise<Memory> {
  // `external` counts the bytes of buffers too.
  const { rss, heapUsed, external } = await instance.memory();
  return { resident: rss / MEBIBYTE, held: (heapUsed + external) / MEBIBYTE };
}

const MEBIBYTE = 1024 * 1024;
