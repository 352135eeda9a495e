/** What a preview's stack consists of, read seldom: a backend that is no folder takes seconds to be asked. */
import type { Logger } from "pino";
import type { StackResource } from "../infra/stack-resources.ts";
import type { Stacks } from "../infra/stacks.ts";
import type { Preview } from "./status.ts";
import { within } from "./within.ts";

/** A page waits no longer; what comes later is there for the next look. */
const PATIENCE_MS = 400;
const KEPT_MS = 30_000;
const KEPT_MAX = 200;

interface Known {
  /** Of the update after which it was read. */
  readonly version: string;
  readonly atMs: number;
  readonly asked: Promise<readonly StackResource[] | undefined>;
}

/** Undefined while they are being read, or cannot be. */
export function createStackReader({
  stacks,
  logger,
}: {
  readonly stacks: Pick<Stacks, "resources">;
  readonly logger: Pick<Logger, "warn">;
}): (preview: Preview) => Promise<readonly StackResource[] | undefined> {
  const known = new Map<string, Known>();
  return ({ stack, status }) => {
    if (!status.stackExists) return Promise.resolve([]);
    const version = `${status.attempted?.at} ${status.interrupted}`;
    const last = known.get(stack);
    const isFresh = last?.version === version && performance.now() - last.atMs < KEPT_MS;
    const asked = isFresh ? last.asked : read(stack);
    if (!isFresh) {
      known.delete(stack);
      known.set(stack, { version, atMs: performance.now(), asked });
      for (const oldest of known.keys()) {
        if (known.size <= KEPT_MAX) break;
        known.delete(oldest);
      }
    }
    return within(PATIENCE_MS, asked, undefined);
  };

  /** Never rejects. */
  async function read(stack: string): Promise<readonly StackResource[] | undefined> {
    try {
      return await stacks.resources(stack);
    } catch (error) {
      logger.warn({ err: error, stack }, "reading a stack's resources failed");
      known.delete(stack);
      return undefined;
    }
  }
}
