/** People's deeds, done to the forge and to Stackling. */
import type { AllActions } from "../../service/actions.ts";
import { type MemoryForge, pullRequest } from "../../test/support/memory-forge.ts";
import { keyOf, shaOf } from "./ends.ts";
import type { Memory } from "./memory.ts";
import { DAY, type Deed } from "./script.ts";

export interface Hands {
  readonly forge: MemoryForge;
  readonly memory: Memory;
  readonly actions: AllActions;
  readonly now: () => string;
}

export async function perform(deed: Deed, { forge, memory: { store }, actions, now }: Hands): Promise<void> {
  const { at, number, kind } = deed;
  const key = keyOf(number);
  const before = forge.pulls.get(number);
  switch (kind) {
    case "visit":
      // As the gateway does: it notes the visit and asks for a look.
      await store.visited({ [key]: now() });
      return store.enqueue([key]);
    case "keep":
      await actions.keep(key, "ada");
      return;
    case "extend":
      await actions.extend(key, DAY.extendSeconds, "ada");
      return;
    case "sleep":
      await actions.sleep(key, "ada");
      return;
    case "stop-all":
    case "resume-all":
      await store.setPause(kind === "stop-all" ? { at: now(), by: "ada" } : undefined);
      return store.enqueue((await store.list()).map((preview) => preview.key));
    default: {
      const headSha = kind === "open" || kind === "push" ? shaOf(number, at) : (before?.headSha ?? "");
      forge.pulls.set(number, {
        ...(before ?? pullRequest(number, headSha)),
        headSha,
        state: kind === "close" || kind === "merge" ? "closed" : "open",
        merged: kind === "merge",
        updatedAt: now(),
      });
    }
  }
}
