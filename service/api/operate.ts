/** `/api/v1/pause` and `/api/v1/sweep`: what is asked of all previews at once. */
import type { Request, Router } from "express";
import { z } from "zod";
import type { Operate } from "../operate.ts";

export interface OperateRoutesDeps {
  readonly operate: Operate;
  /** Who asks, for the record. */
  readonly nameOf: (request: Request) => string;
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

export function operateRoutes(api: Router, { operate, nameOf }: OperateRoutesDeps): void {
  api.get("/pause", async (_request, response) => {
    response.json({ pause: (await operate.pause()) ?? null });
  });
  api.post("/pause", async (request, response) => {
    const { paused, by } = pauseRequest.parse(request.body);
    const door = nameOf(request);
    if (paused) await operate.stopAll(door === "api" && by !== undefined ? by : door);
    else await operate.resumeAll();
    response.status(202).json({ pause: (await operate.pause()) ?? null });
  });
  api.get("/sweep", async (_request, response) => {
    response.json({ report: (await operate.lastSweep()) ?? null });
  });
  // Answers when it is done: the report says what became of each.
  api.post("/sweep", async (request, response) => {
    response.json({ report: await operate.sweep(sweepRequest.parse(request.body)) });
  });
}
