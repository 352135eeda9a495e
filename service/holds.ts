/** What holds updates back whatever their preview: no room on the disk, a state backend that is away. */
import { ConflictError, StacklingError, TerminalError } from "../components/errors.ts";
import { outageIn, saysDiskFull } from "../infra/engine-outages.ts";
import { isGroundOutage } from "./decide.ts";
import type { Store } from "./store/store.ts";
import { after } from "./times.ts";
import { within } from "./within.ts";

/** When a preview that is held back looks again by itself, should nobody have told it that all is back. */
const AGAIN_MS = 60_000;
/** How often it is asked meanwhile whether all is back. */
const ASK_EVERY_MS = 2_000;
const ANSWER_WITHIN_MS = 3_000;

export interface Hold {
  /** `DiskFull`, `DiskReadOnly` or `BackendUnavailable`. */
  readonly reason: string;
  /** In words, for people. */
  readonly message: string;
  /** ISO 8601: when it is looked at again. */
  readonly until: string;
}

export interface Holds {
  /** Why an action would be in vain now; undefined when it may begin. Removing goes on without room: it makes some. */
  of(action: string): Promise<Hold | undefined>;
  /** The failure itself, or the outage that made it. */
  behind(error: unknown): Promise<unknown>;
}

export interface HoldsDeps {
  /** Reject with `StacklingError` while there is no room, or no state can be written. */
  readonly disk: () => Promise<void>;
  readonly backend: () => Promise<void>;
  /** Called when an outage that held something back is over. */
  readonly onBack?: () => Promise<unknown>;
  /** Aborts when this process is about to end. */
  readonly stopping?: AbortSignal;
  readonly now: () => string;
}

export function createHolds({ disk, backend, onBack, stopping, now }: HoldsDeps): Holds {
  let isWaiting = false;
  const findFault = async () => (await faultOf(disk)) ?? (await faultOf(backend));

  function waitForEnd(): void {
    if (isWaiting || stopping?.aborted) return;
    isWaiting = true;
    setTimeout(() => void lookForEnd().catch(waitAnew), ASK_EVERY_MS).unref();
  }

  async function lookForEnd(): Promise<void> {
    if (await findFault()) return waitAnew();
    await onBack?.();
    isWaiting = false;
  }

  function waitAnew(): void {
    isWaiting = false;
    waitForEnd();
  }

  return {
    async of(action) {
      if (action !== "up" && action !== "destroy") return undefined;
      const fault = await findFault();
      if (!fault || (action === "destroy" && fault.reason === "DiskFull")) return undefined;
      waitForEnd();
      const doing = action === "up" ? "Nothing new is built" : "It is not removed yet";
      return {
        reason: fault.reason,
        message: `${doing}: ${fault.userMessage}. It goes on by itself.`,
        until: after(now(), AGAIN_MS),
      };
    },
    async behind(error) {
      if (error instanceof ConflictError) return error;
      // Of a driver's own writing: putting to sleep, waking.
      if (!(error instanceof StacklingError))
        return error instanceof Error
          ? (outageIn(error.message, "writing to the service's disk", error) ?? error)
          : error;
      const { userMessage, excerpt } = error;
      const isSaid = saysDiskFull([userMessage, ...excerpt].join("\n"));
      const fault = error instanceof TerminalError && !isSaid ? undefined : await faultOf(disk);
      if (!fault && !isSaid) return error;
      const reason = fault?.reason ?? "DiskFull";
      return new StacklingError({ reason, userMessage, excerpt, cause: error });
    },
  };
}

/** Enqueues what waits for the end of an outage. */
export async function lookAtHeld(store: Pick<Store, "list" | "enqueue">): Promise<void> {
  const previews = await store.list();
  await store.enqueue(previews.filter(({ status }) => isGroundOutage(status.reason)).map(({ key }) => key));
}

/** One that is silent holds nothing back: the engine finds out. */
async function faultOf(check: () => Promise<void>): Promise<StacklingError | undefined> {
  try {
    await within(ANSWER_WITHIN_MS, check(), undefined);
    return undefined;
  } catch (error) {
    return error instanceof StacklingError ? error : undefined;
  }
}
