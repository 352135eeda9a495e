/** `/api/v1/baselines`: what there is, building one, looking into one. */
import type { Router } from "express";
import { z } from "zod";
import type { Baselines } from "../baselines/keeper.ts";
import type { Doing } from "./doing.ts";
import type { Streams } from "./streams.ts";

const MOST_NAMES = 5_000;

const checkRequest = z.strictObject({
  names: z.array(z.string().min(1).max(200)).max(MOST_NAMES).default([]),
});
export type BaselineCheckRequest = z.input<typeof checkRequest>;

const none = z.strictObject({});

export function baselineRoutes(
  api: Router,
  {
    baselines,
    streams,
    doing,
  }: { readonly baselines: Baselines; readonly streams: Streams; readonly doing: Pick<Doing, "note"> },
): void {
  api.get("/baselines", async (_request, response) => {
    response.json({ baselines: await baselines.list() });
  });
  // Lines of JSON until it is over; an error is the last of them.
  api.post("/baselines/:name/build", async (request, response) => {
    none.parse(request.body);
    const { name } = request.params;
    // What comes of it is said in the stream and kept with the baseline.
    await doing.note(request, { action: "baseline build", detail: name }, async () => undefined);
    await streams.lines(response, () => baselines.build(name));
  });
  api.post("/baselines/:name/check", async (request, response) => {
    const { names } = checkRequest.parse(request.body);
    await streams.lines(response, (signal) => baselines.check(request.params.name, names, signal));
  });
}
