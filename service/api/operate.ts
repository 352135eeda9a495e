/** `/api/v1/pause` and `/api/v1/sweep`: what is asked of all previews at once. */
import type { Request, Router } from "express";
import { z } from "zod";
import type { Operate } from "../operate.ts";
import type { Doing, Noted } from "./doing.ts";

export interface OperateRoutesDeps {
  readonly operate: Operate;
  readonly doing: Pick<Doing, "note">;
  readonly isToken: (request: Request) => boolean;
}

const name = z.string().min(1).max(1024);
const pauseRequest = z.strictObject({
  paused: z.boolean(),
  /** Who says so, for people; believed of a bearer of the token alone. */
  by: z.string().trim().min(1).max(100).optional(),
});

export const sweepRequest = z.strictObject({
  dryRun: z.boolean().default(false),
  confirm: z.union([z.literal(true), z.array(name).min(1).max(1000)]).optional(),
});
export type SweepRequest = z.input<typeof sweepRequest>;

/** As the audit has it. */
export function sweepNoted({ confirm }: Pick<SweepRequest, "confirm">): Noted {
  if (confirm === undefined) return { action: "sweep" };
  return { action: "sweep", detail: confirm === true ? "confirmed all" : `confirmed ${confirm.join(", ")}` };
}

export function operateRoutes(api: Router, { operate, doing, isToken }: OperateRoutesDeps): void {
  api.get("/pause", async (_request, response) => {
    response.json({ pause: (await operate.pause()) ?? null });
  });
  api.post("/pause", async (request, response) => {
    const { paused, by } = pauseRequest.parse(request.body);
    const said = by !== undefined && isToken(request) ? { detail: `as ${by}` } : {};
    await doing.note(request, { action: paused ? "stop-all" : "resume-all", ...said }, async (asker) => {
      if (!paused) return operate.resumeAll();
      await operate.stopAll(by !== undefined && isToken(request) ? by : asker);
    });
    response.status(202).json({ pause: (await operate.pause()) ?? null });
  });
  api.get("/sweep", async (_request, response) => {
    response.json({ report: (await operate.lastSweep()) ?? null });
  });
  // Answers when it is done: the report says what became of each.
  api.post("/sweep", async (request, response) => {
    const wish = sweepRequest.parse(request.body);
    const sweep = () => operate.sweep(wish);
    const report = wish.dryRun ? await sweep() : await doing.note(request, sweepNoted(wish), sweep);
    response.json({ report });
  });
}
