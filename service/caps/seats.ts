/** The seats of live previews in the store: one look and one change at a time, over all replicas. */
import { type Kysely, sql, type Transaction } from "kysely";
import { isStage } from "../../infra/names.ts";
import type { PreviewSpec } from "../../infra/spec.ts";
import { isPastGateway } from "../config/target-fit.ts";
import { lastActivity } from "../decide.ts";
import type { Intents } from "../intents.ts";
import { KEEP_LABEL } from "../lifecycle.ts";
import { hasLabel } from "../policy.ts";
import { PREVIEW_CHANNEL } from "../store/previews.ts";
import type { BossQueue } from "../store/queue.ts";
import type { Tables } from "../store/tables.ts";
import type { Arrangement, Candidate, Occupant, Seats } from "./arrange.ts";

export interface SeatStore {
  /**
   * Lets `change` take effect, then asks `arrange` about everybody and writes its answer: seats are
   * granted, previews sent to sleep, and both enqueued, in one transaction under one lock, so that two
   * workers never give the same room away. What serves has a seat without a row here.
   *
   * @param change.wants Key that is to become live; keeps its place when it waits already.
   * @param change.leaves Key that neither waits nor is at work any more.
   */
  arrangeSeats(change: SeatChange, arrange: (seats: Seats) => Arrangement): Promise<Arrangement>;
  /** True when somebody waits for room, or the key holds or awaits a seat. */
  concernsSeats(key: string): Promise<boolean>;
}

export interface SeatChange {
  readonly wants?: string;
  readonly leaves?: string;
  /** ISO 8601 UTC */
  readonly now: string;
  /** How long nobody may have visited or pushed one that is sent to sleep. */
  readonly spareAfterSeconds: number;
}

/** Any fixed number: arranging is done by one at a time. */
const SEAT_LOCK = 7_302_512;
/** One asked to sleep that long ago does not manage to: another is asked. */
const LEAVING_MS = 120_000;

export function seatStore({ db, queue }: { readonly db: Kysely<Tables>; readonly queue: BossQueue }): SeatStore {
  return {
    arrangeSeats: (change, arrange) =>
      db.transaction().execute(async (transaction) => {
        await sql`select pg_advisory_xact_lock(${SEAT_LOCK})`.execute(transaction);
        await apply(transaction, change);
        const arrangement = arrange(await read(transaction, change));
        const { granted, sentToSleep } = arrangement;
        if (granted.length > 0) {
          await transaction.updateTable("seat").set({ granted_at: change.now }).where("key", "in", granted).execute();
        }
        for (const key of sentToSleep) await sendToSleep(transaction, key, change.now);
        await queue.add(
          transaction,
          [...granted, ...sentToSleep].filter((key) => key !== change.wants),
        );
        return arrangement;
      }),
    async concernsSeats(key) {
      const { rows } = await sql<{ concerns: boolean }>`
        select exists (select from seat where key = ${key} or granted_at is null) as concerns`.execute(db);
      return rows[0]?.concerns === true;
    },
  };
}

async function apply(transaction: Transaction<Tables>, { wants, leaves, now }: SeatChange): Promise<void> {
  if (leaves !== undefined) await transaction.deleteFrom("seat").where("key", "=", leaves).execute();
  if (wants === undefined) return;
  await transaction
    .insertInto("seat")
    .values({ key: wants, since: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** One that serves, has a seat or waits for one. Times ISO 8601 UTC. */
export interface Sitter {
  readonly key: string;
  readonly repository: string;
  readonly author: string | null;
  /** Of the pull request; none for a preview by hand. */
  readonly labels: readonly string[];
  readonly serves: boolean;
  readonly held: boolean;
  readonly busy: boolean;
  readonly createdAt: string;
  readonly lastPushAt: string;
  readonly lastVisitAt?: string | undefined;
  readonly shownSince: string;
  readonly intents: Intents;
  readonly target: PreviewSpec["target"] | null;
}

type SeatRow = Pick<
  Sitter,
  "key" | "repository" | "author" | "labels" | "serves" | "held" | "busy" | "intents" | "target"
> & {
  readonly created_at: Date;
  readonly last_push_at: Date;
  readonly last_visit_at: Date | null;
  readonly shown_since: string;
};

async function read(transaction: Transaction<Tables>, change: SeatChange): Promise<Seats> {
  const { rows } = await sql<SeatRow>`
    select preview.key, repository, pull_request->>'author' as author, serves,
           coalesce(pull_request->'labels', '[]'::jsonb) as labels,
           serves or granted_at is not null as held,
           granted_at is not null or status->'interrupted' = 'true'::jsonb as busy,
           created_at, last_push_at, last_visit_at, status->>'since' as shown_since,
           intents, status->'live'->'target' as target
    from preview left join seat on seat.key = preview.key
    where gone_at is null and (serves or seat.key is not null)
    order by seat.since, preview.key`.execute(transaction);
  return seatsOf(rows.map(toSitter), change);
}

/** @param sitters longest waiting first */
export function seatsOf(all: readonly Sitter[], change: SeatChange): Seats {
  // Outside the caps: it takes nobody's room.
  const sitters = all.filter(({ key }) => !isStage(key));
  return {
    live: sitters.filter(({ held }) => held).map((sitter) => toOccupant(sitter, change)),
    waiting: sitters.filter(({ held }) => !held).map(toCandidate),
  };
}

function toSitter({ created_at, last_push_at, last_visit_at, shown_since, ...row }: SeatRow): Sitter {
  return {
    ...row,
    createdAt: created_at.toISOString(),
    lastPushAt: last_push_at.toISOString(),
    lastVisitAt: last_visit_at?.toISOString(),
    shownSince: shown_since,
  };
}

function toCandidate({ key, repository, author }: Sitter): Candidate {
  return { key, repository, ...(author === null ? {} : { author }) };
}

function toOccupant(sitter: Sitter, { now, spareAfterSeconds }: SeatChange): Occupant {
  const { intents, labels, target, shownSince } = sitter;
  const activeAt = lastActivity(sitter);
  const askedAt = intents.asleep && activeAt <= (intents.asleepSince ?? activeAt) ? intents.asleepSince : undefined;
  const isSeen = target !== null && !isPastGateway(target);
  // One that waited long for its seat was not idle meanwhile: people have yet to see it.
  const idleSince = shownSince > activeAt ? shownSince : activeAt;
  const idleMs = Date.parse(now) - Date.parse(idleSince);
  return {
    ...toCandidate(sitter),
    activeAt: idleSince,
    leaving: sitter.serves && askedAt !== undefined && Date.parse(now) - Date.parse(askedAt) < LEAVING_MS,
    spare:
      sitter.serves &&
      !sitter.busy &&
      isSeen &&
      !(intents.keep || hasLabel({ labels }, KEEP_LABEL)) &&
      askedAt === undefined &&
      idleMs >= spareAfterSeconds * 1000,
  };
}

/** The wish that a person's `sleep` writes: a later visit or push undoes it. */
async function sendToSleep(transaction: Transaction<Tables>, key: string, now: string): Promise<void> {
  const wish = JSON.stringify({ asleep: true, asleepSince: now });
  await sql`
    update preview set intents = intents || ${wish}::jsonb, revision = revision + 1 where key = ${key}`.execute(
    transaction,
  );
  await sql`select pg_notify(${PREVIEW_CHANNEL}, ${key})`.execute(transaction);
}
