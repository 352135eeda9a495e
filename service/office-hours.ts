/** Where a moment lies among office hours and teardowns. Pure; daylight saving is the cron library's business. */
import { Cron } from "croner";
import type { OfficeHours, Teardown } from "./config/types.ts";

export interface Office {
  readonly open: boolean;
  /** ISO 8601 of the next end of this; undefined when it never comes. */
  readonly until?: string;
}

/** Open from the last beginning on, if no end followed it; also before the first end of all. */
export function officeAt({ awake, asleep, timeZone }: OfficeHours, now: string): Office {
  const [began, ended] = [before(awake, timeZone, now), before(asleep, timeZone, now)];
  const open = ended === undefined || (began !== undefined && began >= ended);
  const until = after(open ? asleep : awake, timeZone, now);
  return { open, ...(until === undefined ? {} : { until }) };
}

/** ISO 8601 of the first teardown behind `time`. */
export function teardownAfter({ at, timeZone }: Teardown, time: string): string | undefined {
  return after(at, timeZone, time);
}

/** True when the teardown is at this very second. */
export function isTeardown({ at, timeZone }: Teardown, time: string): boolean {
  return before(at, timeZone, time) === time;
}

function after(schedule: string, timezone: string, time: string): string | undefined {
  return new Cron(schedule, { paused: true, timezone }).nextRun(new Date(time))?.toISOString();
}

/** At `time` or before it. */
function before(schedule: string, timezone: string, time: string): string | undefined {
  const cron = new Cron(schedule, { paused: true, timezone });
  // The library's own looks strictly before.
  return cron.previousRuns(1, new Date(Date.parse(time) + 1))[0]?.toISOString();
}
