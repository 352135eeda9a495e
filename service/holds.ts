/** What holds updates back whatever their preview: no room on the disk, a state backend that is away. */
import { ConflictError, StacklingError, TerminalError } from "../components/errors.ts";
import { saysDiskFull } from "../infra/engine-outages.ts";

/** How soon it is looked at again. */
const AGAIN_MS = 15_000;
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
  readonly now: () => string;
}

export function createHolds({ disk, backend, now }: HoldsDeps): Holds {
  return {
    async of(action) {
      if (action !== "up" && action !== "destroy") return undefined;
      const fault = (await faultOf(disk)) ?? (await faultOf(backend));
      if (!fault || (action === "destroy" && fault.reason === "DiskFull")) return undefined;
      const doing = action === "up" ? "Nothing new is built" : "It is not removed yet";
      return {
        reason: fault.reason,
        message: `${doing}: ${fault.userMessage}. It goes on by itself.`,
        until: new Date(Date.parse(now()) + AGAIN_MS).toISOString(),
      };
    },
    async behind(error) {
      if (!(error instanceof StacklingError) || error instanceof ConflictError) return error;
      const { userMessage, excerpt } = error;
      const isSaid = saysDiskFull([userMessage, ...excerpt].join("\n"));
      const fault = error instanceof TerminalError && !isSaid ? undefined : await faultOf(disk);
      if (!fault && !isSaid) return error;
      const reason = fault?.reason ?? "DiskFull";
      return new StacklingError({ reason, userMessage, excerpt, cause: error });
    },
  };
}

/** One that is silent holds nothing back: the engine finds out. */
async function faultOf(check: () => Promise<void>): Promise<StacklingError | undefined> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ANSWER_WITHIN_MS);
  try {
    await Promise.race([check(), promise]);
    return undefined;
  } catch (error) {
    return error instanceof StacklingError ? error : undefined;
  } finally {
    clearTimeout(timer);
  }
}
