import { z } from "zod";
import type { Baselines } from "../../baselines/keeper.ts";
import type { Doing } from "../doing.ts";
import { type Route, route } from "../route.ts";
import type { Streams } from "../streams.ts";

const MOST_NAMES = 5_000;

const checkRequest = z.strictObject({
  names: z.array(z.string().min(1).max(200)).max(MOST_NAMES).default([]).describe("Names of people to look for."),
});
export type BaselineCheckRequest = z.input<typeof checkRequest>;

const baseline = z
  .strictObject({
    name: z.string().describe("As the config has it."),
    builtAt: z.iso.datetime().nullable().describe("Null: it is still to be built."),
    bytes: z.number().describe("Its size."),
    newest: z.boolean().describe("Whether new previews are copies of this one."),
    source: z.enum(["dump", "url", "seed"]).nullable().describe("What it is built from."),
    nextAt: z.iso.datetime().nullable().describe("When it is built anew by itself."),
    building: z.boolean().describe("Whether that is being done now."),
    failure: z.string().nullable().describe("Why the last build came to nothing."),
  })
  .meta({ id: "Baseline" });

const line = z.looseObject({ step: z.string().optional() });

export interface BaselineRoutesDeps {
  readonly baselines: Baselines;
  readonly streams: Pick<Streams, "lines">;
  readonly doing: Pick<Doing, "note">;
}

export function baselineRoutes({ baselines, streams, doing }: BaselineRoutesDeps): readonly Route[] {
  return [
    route({
      method: "get",
      path: "/baselines",
      id: "listBaselines",
      tag: "Baselines",
      summary: "List databases that previews are copies of",
      may: "look",
      where: "everything",
      answer: { status: 200, schema: z.strictObject({ baselines: z.array(baseline) }), says: "All of them." },
      handle: async () => ({ baselines: await baselines.list() }),
    }),
    route({
      method: "post",
      path: "/baselines/:name/build",
      id: "buildBaseline",
      tag: "Baselines",
      summary: "Build a baseline anew, or follow the build that runs",
      may: "administer",
      where: "everything",
      body: z.strictObject({}),
      answer: {
        status: 200,
        schema: line,
        type: "application/x-ndjson",
        says: "Its steps until it is over; an error is the last of them.",
      },
      async handle({ request, response, param }) {
        const name = param("name");
        // What comes of it is said in the stream and kept with the baseline.
        await doing.note(request, { action: "baseline build", detail: name }, async () => undefined);
        await streams.lines(response, () => baselines.build(name));
      },
    }),
    route({
      method: "post",
      path: "/baselines/:name/check",
      id: "checkBaseline",
      tag: "Baselines",
      summary: "Look into a baseline for what should be masked",
      may: "administer",
      where: "everything",
      body: checkRequest,
      answer: { status: 200, schema: line, type: "application/x-ndjson", says: "Its steps; the last holds `report`." },
      async handle({ request, response, param, body: { names } }) {
        const name = param("name");
        await doing.note(request, { action: "baseline check", detail: name }, async () => undefined);
        await streams.lines(response, (signal) => baselines.check(name, names, signal));
      },
    }),
  ];
}
