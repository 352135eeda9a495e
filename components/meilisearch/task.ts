/** Meilisearch answers before it did what it was asked: a task says when it is done. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { StacklingError } from "../errors.ts";
import { ask, path, type RestApi } from "../rest.ts";

const task = z.object({
  status: z.enum(["enqueued", "processing", "succeeded", "failed", "canceled"]),
  error: z.object({ code: z.string() }).nullish(),
});
const WITHIN_MS = 60_000;
const LOOK_MS = 100;

/** Rejects (`TargetInvalid`) with the server's own code where it failed, and (`TargetUnreachable`) after a minute. */
export async function eventuallyDone(api: RestApi, uid: number, action: string): Promise<void> {
  const until = performance.now() + WITHIN_MS;
  do {
    const found = await ask(api, { action, path: path`/tasks/${String(uid)}` }, task);
    // Of tasks that are long past nothing is kept.
    if (!found || found.status === "succeeded") return;
    if (found.status === "failed" || found.status === "canceled") {
      const userMessage = `${action}: Meilisearch says ${found.error?.code ?? found.status}`;
      if (found.error?.code === "index_not_found") return;
      throw new StacklingError({ reason: "TargetInvalid", userMessage });
    }
    await delay(LOOK_MS);
  } while (performance.now() < until);
  const userMessage = `${action}: Meilisearch has not done it within ${WITHIN_MS / 1000} s`;
  throw new StacklingError({ reason: "TargetUnreachable", userMessage });
}
