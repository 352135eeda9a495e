import { networks } from "./address.ts";
import type { DoorMaker } from "./door.ts";

/** Opens to addresses that are listed. */
export const ipDoor: DoorMaker<"ip"> = (_deps, listed) => {
  const isListed = networks(listed);
  return { opensTo: ({ address }) => isListed(address) };
};
