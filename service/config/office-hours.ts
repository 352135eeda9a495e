/** `lifecycle.officeHours` and `lifecycle.teardown` as typed: their schemas, defaults and contradictions. Pure. */
import { z } from "zod";
import { scheduleFault, timeZoneFault } from "./cron.ts";
import { parseDuration } from "./duration.ts";
import type { Lifecycle } from "./types.ts";
import type { Misfit } from "./yaml-file.ts";

const WAKE_FOR_SECONDS = 3600;
const TIME_ZONE = "UTC";

/** Text in which `fault` finds nothing. */
const flawless = (fault: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const message = fault(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

const cron = flawless(scheduleFault);
const timeZone = flawless(timeZoneFault)
  .optional()
  .describe('Of the expressions beside it, such as "Europe/Berlin". Default UTC.');

const officeHours = z.strictObject({
  awake: cron.describe('When they begin, as a cron expression such as "0 8 * * 1-5".'),
  asleep: cron.describe('When they end, as a cron expression such as "0 19 * * 1-5".'),
  timeZone,
  wakeFor: z
    .string()
    .refine((text) => parseDuration(text) !== undefined, 'must be a time such as "30m" or "2h"')
    .optional()
    .describe("Outside of them: how long a visit or push keeps a preview awake. Default 1h."),
});

const teardown = z.strictObject({
  at: cron.describe('A cron expression such as "0 22 * * 5", Friday at ten in the evening.'),
  timeZone,
});

/** Keys of `lifecycle`, at the top and per repository. */
export const officeKeys = {
  officeHours: z
    .union([officeHours, z.literal("off")])
    .optional()
    .describe("Outside of these hours previews sleep; a visit or push still wakes them. Default `off`."),
  teardown: z
    .union([teardown, z.literal("off")])
    .optional()
    .describe("At these times every preview is removed that is neither kept nor extended. Default `off`."),
};

type Typed = { readonly [Key in keyof typeof officeKeys]?: z.infer<(typeof officeKeys)[Key]> };

export function officeHoursOf(
  typed: Typed["officeHours"],
  otherwise: Pick<Lifecycle, "officeHours">,
): Pick<Lifecycle, "officeHours"> {
  if (typed === "off") return {};
  if (typed === undefined) return otherwise.officeHours ? { officeHours: otherwise.officeHours } : {};
  const { awake, asleep, timeZone = TIME_ZONE, wakeFor = "" } = typed;
  const wakeForSeconds = parseDuration(wakeFor) ?? WAKE_FOR_SECONDS;
  return { officeHours: { awake, asleep, timeZone, wakeForSeconds } };
}

export function teardownOf(
  typed: Typed["teardown"],
  otherwise: Pick<Lifecycle, "teardown">,
): Pick<Lifecycle, "teardown"> {
  if (typed === "off") return {};
  if (typed === undefined) return otherwise.teardown ? { teardown: otherwise.teardown } : {};
  const { at, timeZone = TIME_ZONE } = typed;
  return { teardown: { at, timeZone } };
}

/** Hours that begin when they end. */
export function officeHoursMisfits(typed: Typed["officeHours"], path: Misfit["path"]): readonly Misfit[] {
  if (!typed || typed === "off" || fields(typed.awake) !== fields(typed.asleep)) return [];
  const message = `"awake" and "asleep" are both "${typed.awake}": write when office hours begin and when they end`;
  return [{ path: [...path, "officeHours"], message }];
}

function fields(schedule: string): string {
  return schedule.trim().split(/\s+/).join(" ");
}
