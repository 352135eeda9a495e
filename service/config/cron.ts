/** Cron expressions and time zones as people type them: what is wrong with one, in words. Pure. */
import { Cron } from "croner";
import { closest } from "./closest.ts";

/** Undefined when it is a five-field expression that comes to pass at some time. */
export function scheduleFault(schedule: string): string | undefined {
  if (schedule.trim().split(/\s+/).length !== 5) return "must have five fields: minute hour day month weekday";
  try {
    return new Cron(schedule, { paused: true, timezone: "UTC" }).nextRun() ? undefined : "never comes to pass";
  } catch (error) {
    return `is no cron expression (${error instanceof Error ? error.message : String(error)})`;
  }
}

/** Undefined when this machine knows the zone; names are those of the IANA database, in any case. */
export function timeZoneFault(zone: string): string | undefined {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return undefined;
  } catch {
    const near = closest(zone, ["UTC", ...Intl.supportedValuesOf("timeZone")]);
    return `must be a time zone such as "Europe/Berlin"${near ? `; did you mean "${near}"?` : ""}`;
  }
}
