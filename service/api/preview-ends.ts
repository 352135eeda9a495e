/** When a preview sleeps and goes if nobody does anything, as API and pages show it. Pure. */

import { isPastGateway } from "../config/target-fit.ts";
import type { Lifecycle } from "../config/types.ts";
import { decide } from "../decide.ts";
import { type Clocks, lifetimeOf, type Moment } from "../lifecycle.ts";
import { either, isPaused } from "../pauses.ts";
import type { Preview } from "../status.ts";

/** All times ISO 8601 UTC; an absent one never comes. */
export interface PreviewEnds {
  /** The latest visit, push or `extend`. */
  readonly idleSince: string;
  /** When it falls asleep; only while it is awake. */
  readonly sleepsAt?: string;
  /** When it goes because nobody uses it. */
  readonly idleStop?: string;
  /** When it goes however much it is used. */
  readonly hardStop?: string;
}

/** Asked once for any number of previews. */
export type EndsReader = () => Promise<(preview: Preview) => PreviewEnds | undefined>;

/** Undefined for one that is gone. A warning that is still to come counts with its notice. */
export function previewEnds(preview: Clocks, lifecycle: Lifecycle, moment: Moment): PreviewEnds | undefined {
  const { status } = preview;
  if (status.goneAt !== undefined) return undefined;
  const { idleSince, warnAt, idleStop, hardStop, noticeMs } = lifetimeOf(preview, lifecycle, moment);
  const warnedAt = warnAt === undefined ? undefined : Date.parse(warnAt > moment.now ? warnAt : moment.now);
  const goes = idleStop ?? (warnedAt === undefined ? undefined : new Date(warnedAt + noticeMs).toISOString());
  const sleepsAt = sleepOf(preview, lifecycle, moment);
  return {
    idleSince,
    ...(sleepsAt === undefined ? {} : { sleepsAt }),
    ...(goes === undefined ? {} : { idleStop: goes }),
    ...(hardStop === undefined ? {} : { hardStop }),
  };
}

/** Nobody sees the visits to one at another edge, so it does not fall asleep by itself. */
function sleepOf(preview: Clocks, { sleepAfterSeconds, officeHours }: Lifecycle, moment: Moment): string | undefined {
  const { live, awake, stops } = preview.status;
  if (!live || !awake) return undefined;
  const { now } = moment;
  const pauses = either(moment.pauses, stops);
  const seen = isPastGateway(live.target) ? {} : { sleepAfterSeconds, officeHours };
  const paused = isPaused(pauses, now);
  const action = decide(
    { kind: "blocked" },
    { sleepAfterSeconds: undefined, ...preview, ...seen, pauses, paused },
    now,
  );
  return action.kind === "none" ? action.dueAt : undefined;
}
