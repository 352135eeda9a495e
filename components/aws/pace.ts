/** How often AWS is asked while something is awaited, and who is told meanwhile. */
import { setTimeout as delay } from "node:timers/promises";
import { log, type Resource } from "@pulumi/pulumi";

export interface Pace {
  readonly pauseMs: number;
  /** Shown as progress; also tells the watchdog of silent engines that work goes on. */
  say(message: string): Promise<void>;
  /** Ends all waiting at this pace, with the first failure as its reason. */
  readonly fate: AbortController;
}

const PAUSE_MS = 3_000;
/** The engine counts as stuck after minutes without an event. */
const WORD_EVERY_MS = 60_000;

/** Tells the engine, as of `resource`. */
export function enginePace(resource: Resource): Pace {
  return {
    pauseMs: PAUSE_MS,
    fate: new AbortController(),
    say: (message) => log.info(message, resource, undefined, true),
  };
}

/** Yields at once and after each pause until `limitMs` are over. Throws when its fate is sealed. */
export async function* pauses(
  pace: Pace,
  { limitMs, what }: { readonly limitMs: number; readonly what: string },
): AsyncGenerator<number> {
  const began = performance.now();
  let said = began;
  for (let round = 0; performance.now() - began < limitMs; round += 1) {
    yield round;
    await delay(pace.pauseMs, undefined, { signal: pace.fate.signal });
    if (performance.now() - said < WORD_EVERY_MS) continue;
    said = performance.now();
    await pace.say(`${what}: still waiting after ${Math.round((said - began) / 1000)} s`);
  }
}
