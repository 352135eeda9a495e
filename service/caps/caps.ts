/** How many previews are live at once, and who is next. */
import type { OperatorConfig } from "../config/types.ts";
import type { Preview } from "../status.ts";
import { arrange, type CapRules, type QueuePlace } from "./arrange.ts";
import type { SeatChange, SeatStore } from "./seats.ts";
import { placeWords } from "./words.ts";

const SPARE_AFTER_SECONDS = 15 * 60;
/** Room that comes is told at once; this is for what nobody told, and for places that moved. */
const AGAIN_MS = 60_000;
const AGAIN_MOST_MS = 600_000;

export interface Queued {
  /** ISO 8601 of the next look at it. */
  readonly until: string;
  /** Its place, for people. */
  readonly message: string;
  /** From 1, */
  readonly place: number;
  /** and how many wait in the same queue. */
  readonly of: number;
}

export interface Caps {
  /** A seat for one that is to be built or woken; where there is none, its place in the queue, kept until it is served or leaves. */
  takeSeat(key: string): Promise<Queued | undefined>;
  /** Nothing is at work on it and it waits for no seat: what it held goes to the next. */
  settled(key: string): Promise<void>;
}

export interface CapsDeps {
  readonly seats: SeatStore;
  readonly config: Pick<OperatorConfig, "limits" | "repositories">;
  /** ISO 8601 UTC */
  readonly now: () => string;
}

/** Undefined where the config sets no cap. */
export function createCaps({ seats, config, now }: CapsDeps): Caps | undefined {
  const rules = rulesOf(config);
  if (!rules) return undefined;
  const spareAfterSeconds = config.limits.makeRoomAfterSeconds ?? SPARE_AFTER_SECONDS;
  const change = (of: Pick<SeatChange, "wants" | "leaves">): SeatChange => ({ ...of, now: now(), spareAfterSeconds });
  return {
    async takeSeat(key) {
      const { places } = await seats.arrangeSeats(change({ wants: key }), (all) => arrange(rules, all));
      const place = places.get(key);
      return place && queued(place, now());
    },
    async settled(key) {
      if (!(await seats.concernsSeats(key))) return;
      await seats.arrangeSeats(change({ leaves: key }), (all) => arrange(rules, all));
    },
  };
}

/** True when the preview is not live yet and would be by this. */
export function needsSeat(kind: string, { live, awake }: Preview["status"]): boolean {
  return (kind === "up" || kind === "wake") && !(live && awake);
}

/** Far behind it is looked at less often, so that a long queue does not spend the forge's limits. */
function queued(place: QueuePlace, now: string): Queued {
  const ms = Math.min(AGAIN_MS * place.place, AGAIN_MOST_MS);
  return {
    until: new Date(Date.parse(now) + ms).toISOString(),
    message: placeWords(place),
    place: place.place,
    of: place.of,
  };
}

function rulesOf({ limits, repositories }: CapsDeps["config"]): CapRules | undefined {
  const own = new Map(repositories.map(({ name, limits: mine }) => [name, mine?.previews]));
  const { previews, previewsPerRepository, previewsPerAuthor, makeRoom = false } = limits;
  const all = [previews, previewsPerRepository, previewsPerAuthor, ...own.values()];
  if (all.every((limit) => limit === undefined)) return undefined;
  const ofRepository = (name: string) => own.get(name) ?? previewsPerRepository;
  return { all: previews, perAuthor: previewsPerAuthor, ofRepository, makeRoom };
}
