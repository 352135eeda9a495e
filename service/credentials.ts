/**
 * Logins that end by themselves are renewed at half their time, as long as their preview lives, asleep or awake. Should
 * Stackling be gone for ever, nobody renews them, and they end.
 */
import PQueue from "p-queue";
import type { Logger } from "pino";
import type { Finding } from "../components/ports.ts";
import { every } from "./every.ts";
import { minuteOf } from "./reason-words.ts";
import type { Preview, PreviewStatus } from "./status.ts";
import type { Store } from "./store/store.ts";
import { within } from "./within.ts";
import type { World } from "./world.ts";

/** When the login of a preview was last renewed. */
export interface CredentialSeen {
  /** ISO 8601 */
  readonly renewedAt: string;
  /** ISO 8601 of its end; absent where it has none. */
  readonly until?: string;
}

export interface RenewDeps {
  readonly world: Pick<World, "renew">;
  readonly now: () => string;
}

export interface CredentialsDeps extends RenewDeps {
  readonly store: Pick<Store, "list" | "setStatus" | "acquireLease">;
  readonly logger: Pick<Logger, "warn">;
}

/** The lease of this name, which no stack can have, is the turn to renew. */
const TURN = "@credentials";
const LOOK_EVERY_MS = 60_000;
const AT_ONCE = 8;
/** A vendor that does not answer must not keep the others' previews from coming back. */
const BEFORE_TRAFFIC_MS = 10_000;

/**
 * Resolves once all that ended while nobody renewed it is good again, or after a while; from then on it goes on by
 * itself, one replica at a time. What it resolves with ends that, and what is under way.
 */
export async function startCredentials(deps: CredentialsDeps): Promise<() => Promise<void>> {
  const stopping = new AbortController();
  const first = renewAll(deps, stopping.signal);
  await within(BEFORE_TRAFFIC_MS, first, undefined);
  const timer = every(LOOK_EVERY_MS, () => renewAll(deps, stopping.signal));
  return async () => {
    stopping.abort();
    await Promise.all([timer.close(), first]);
  };
}

/** One round. Never rejects: what cannot be renewed now is due in the next one. */
export async function renewAll(deps: CredentialsDeps, stopping: AbortSignal): Promise<void> {
  const { store, now, logger } = deps;
  const failed: { readonly key: string; readonly error: unknown }[] = [];
  const due = async () => (await store.list()).filter((preview) => isDue(preview.status, now()));
  try {
    if ((await due()).length === 0) return;
    const turn = await store.acquireLease(TURN);
    if (!turn) return;
    try {
      const queue = new PQueue({ concurrency: AT_ONCE });
      // Read again under the turn: another replica may just have done it.
      for (const { key, stack, status } of await due()) {
        queue.add(async () => {
          if (stopping.aborted || turn.lost.aborted) return;
          try {
            await store.setStatus(key, await renewed(deps, { stack, status }));
          } catch (error) {
            failed.push({ key, error });
          }
        });
      }
      await queue.onIdle();
    } finally {
      await turn.release();
    }
  } catch (error) {
    logger.warn({ err: error }, "looking for logins to renew failed; it is tried again in a minute");
  }
  if (failed.length === 0) return;
  const keys = failed.map(({ key }) => key);
  logger.warn({ keys, err: failed[0]?.error }, "renewing previews' logins failed; it is tried again in a minute");
}

/** What a renewal changes in the status. Rejects where the driver could not ask. */
export async function renewed(
  { world, now }: RenewDeps,
  { stack, status }: Pick<Preview, "stack" | "status">,
): Promise<Partial<PreviewStatus>> {
  const { live } = status;
  if (!live) return {};
  const until = await world.renew(live.target, stack);
  return { credential: { renewedAt: now(), ...(until === undefined ? {} : { until }) } };
}

/**
 * Before something is done with the login: renewed where it is due. One that is still good is let pass where that
 * fails; one that is over is not, and it rejects.
 */
export async function renewedInTime(
  deps: RenewDeps,
  preview: Pick<Preview, "stack" | "status">,
): Promise<Partial<PreviewStatus>> {
  const { credential } = preview.status;
  if (!isDue(preview.status, deps.now())) return {};
  try {
    return await renewed(deps, preview);
  } catch (error) {
    if (credential?.until !== undefined && deps.now() >= credential.until) throw error;
    return {};
  }
}

/** Half of its time is over, or nobody ever asked. Pure. */
export function isDue({ live, stackExists, credential }: PreviewStatus, now: string): boolean {
  if (!stackExists || !live?.database || !live.target.database) return false;
  if (!credential) return true;
  const { renewedAt, until } = credential;
  return until !== undefined && Date.parse(now) >= (Date.parse(renewedAt) + Date.parse(until)) / 2;
}

/** What `doctor` says of those that could not be renewed when they should have been. Pure. */
export function credentialFindings(previews: readonly Preview[], now: string): readonly Finding[] {
  // Half of the time that is left when it is due is for outages that nobody need hear of.
  const late = previews.flatMap(({ key, status }) => {
    const { renewedAt, until } = status.credential ?? {};
    if (!isDue(status, now) || renewedAt === undefined || until === undefined) return [];
    return Date.parse(now) >= Date.parse(renewedAt) * 0.25 + Date.parse(until) * 0.75 ? [{ key, until }] : [];
  });
  const [first] = late.sort((a, b) => (a.until < b.until ? -1 : 1));
  if (!first) return [];
  const ends = first.until <= now ? "ended" : "ends";
  const others = late.length > 1 ? `, and those of ${late.length - 1} others soon` : "";
  return [
    {
      ok: false,
      what: `the database login of ${first.key} could not be renewed and ${ends} at ${minuteOf(first.until)}${others}`,
      remedy: "look into the log of the service for why, and see that the database's server or vendor answers",
    },
  ];
}
