/** What of that which somebody had when they logged in is still theirs. */
import type { OperatorConfig } from "../config/types.ts";
import type { ForgePeople, Right } from "../forges/people.ts";
import type { LoggedIn } from "../session.ts";
import { isTeam } from "./providers.ts";

export interface HeldDeps {
  readonly people: ForgePeople | undefined;
  readonly repositories: OperatorConfig["repositories"];
  /** Whether these name a role: then nothing hangs on rights. */
  readonly suffice: (ids: readonly string[]) => boolean;
  readonly now: () => Date;
  readonly onError: (error: unknown) => void;
}

/** What nobody but they themselves can tell of counts for so long. */
const UNASKED_MS = 15 * 60_000;

/**
 * Teams and rights are asked of the forge anew, whose answers count for a minute; while it is away, what it said last
 * holds. A right that was given since counts from the next login. Undefined: they are to log in anew.
 */
export async function heldBy(
  { people, repositories, suffice, now, onError }: HeldDeps,
  { name, ids, at, reads = [], writes = [] }: LoggedIn,
): Promise<Pick<LoggedIn, "ids" | "reads" | "writes"> | undefined> {
  const login = name.replace(/^@/, "");
  let isTold = true;
  const isFresh = now().getTime() - Date.parse(at) < UNASKED_MS;

  const rightTo = async (repository: string, before: Right): Promise<Right> => {
    const path = repositories.find((one) => one.name === repository)?.path;
    if (path === undefined) return "none";
    try {
      const right = await people?.rightOf({ path }, login);
      if (right === undefined) isTold = false;
      return right ?? before;
    } catch (error) {
      onError(error);
      return before;
    }
  };
  const isStill = async (id: string): Promise<boolean> => {
    // Their own name or address; what is left of a provider's are its groups.
    if (people ? !isTeam(id) : id.includes("@")) return true;
    try {
      const is = await people?.isIn?.(id, login);
      if (is === undefined) isTold = false;
      return is ?? true;
    } catch (error) {
      onError(error);
      return true;
    }
  };
  const still = await Promise.all(ids.map(isStill));
  const held = ids.filter((_id, index) => still[index]);
  if (suffice(held)) return isTold || isFresh ? { ids: held } : undefined;
  const before = [...reads.map((one) => [one, "read"] as const), ...writes.map((one) => [one, "write"] as const)];
  const rights = await Promise.all(before.map(([one, was]) => rightTo(one, was)));
  if (!isTold && !isFresh) return undefined;
  const having = (right: Right) => before.filter((_one, index) => rights[index] === right).map(([one]) => one);
  return { ids: held, reads: having("read"), writes: having("write") };
}
