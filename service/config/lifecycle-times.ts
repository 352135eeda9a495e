/** The times of `lifecycle` as typed, into seconds with what is left out filled in. Pure. */
import { defaultLifecycle } from "./defaults.ts";
import { parseDuration } from "./duration.ts";
import { officeHoursMisfits, officeHoursOf, teardownOf } from "./office-hours.ts";
import type { OperatorFile } from "./operator-schema.ts";
import type { RepositoryFile } from "./repository-schema.ts";
import type { Lifecycle } from "./types.ts";
import type { Misfit } from "./yaml-file.ts";

type Times = NonNullable<RepositoryFile["lifecycle"]>;

/** `off` leaves a time out; one that was not typed is as in `otherwise`. */
export function timesOf(typed: Times | undefined, otherwise: Lifecycle): Lifecycle {
  const seconds = (text: string | undefined, fallback: number | undefined) =>
    text === undefined ? fallback : parseDuration(text);
  return {
    sleepAfterSeconds: seconds(typed?.sleepAfter, otherwise.sleepAfterSeconds),
    warnAfterSeconds: seconds(typed?.warnAfter, otherwise.warnAfterSeconds),
    destroyAfterSeconds: seconds(typed?.destroyAfter, otherwise.destroyAfterSeconds),
    hardStopSeconds: seconds(typed?.hardStop, otherwise.hardStopSeconds),
    extendMaxSeconds: seconds(typed?.extendMax, otherwise.extendMaxSeconds),
    ...officeHoursOf(typed?.officeHours, otherwise),
    ...teardownOf(typed?.teardown, otherwise),
  };
}

/** Times that contradict each other, at the top and per repository. */
export function lifecycleMisfits({ lifecycle, repositories }: OperatorFile): readonly Misfit[] {
  const top = timesOf(lifecycle, defaultLifecycle);
  return [
    ...misfitsOf(top, ["lifecycle"]),
    ...officeHoursMisfits(lifecycle?.officeHours, ["lifecycle"]),
    ...repositories.flatMap(({ lifecycle: own }, index) => {
      const path = ["repositories", index, "lifecycle"];
      return own ? [...misfitsOf(timesOf(own, top), path), ...officeHoursMisfits(own.officeHours, path)] : [];
    }),
  ];
}

function misfitsOf(times: Lifecycle, path: Misfit["path"]): readonly Misfit[] {
  const { warnAfterSeconds: warn, destroyAfterSeconds: destroy, hardStopSeconds: stop, extendMaxSeconds: most } = times;
  const misfits: Misfit[] = [];
  if (warn !== undefined && destroy !== undefined && warn >= destroy) {
    const message = `"warnAfter" (${durationOf(warn)}) must be less than "destroyAfter" (${durationOf(destroy)}): set both, or "warnAfter: off" for none`;
    misfits.push({ path, message });
  }
  if (stop !== undefined && most !== undefined && most < stop) {
    const message = `"extendMax" (${durationOf(most)}) must not be less than "hardStop" (${durationOf(stop)})`;
    misfits.push({ path, message });
  }
  return misfits;
}

/** As a person would write it. */
function durationOf(seconds: number): string {
  const units = { d: 86_400, h: 3600, m: 60 };
  for (const [unit, size] of Object.entries(units)) if (seconds % size === 0) return `${seconds / size}${unit}`;
  return `${seconds}s`;
}
