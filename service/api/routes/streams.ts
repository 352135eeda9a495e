/** Calls whose answer goes on: logs, changes, and the right to run an engine by hand. */
import { z } from "zod";
import type { EngineByHand } from "../../engine-by-hand.ts";
import type { Preview } from "../../status.ts";
import type { Store } from "../../store/store.ts";
import type { Actions } from "../actions.ts";
import type { Doing } from "../doing.ts";
import { type Route, route } from "../route.ts";
import { logLineSchema, previewSchema } from "../schemas.ts";
import type { LogReader, Streams } from "../streams.ts";
import { type PreviewRoutesDeps, wholeReader } from "./previews.ts";

export interface StreamRoutesDeps extends Pick<PreviewRoutesDeps, "ends" | "extras"> {
  readonly store: Pick<Store, "find">;
  readonly actions: Pick<Actions, "lease">;
  readonly doing: Pick<Doing, "note">;
  readonly streams: Streams;
  readonly logs: LogReader;
  /** What goes with the right to run an engine by hand; nothing without it. */
  readonly engineByHand?: (preview: Preview) => Promise<EngineByHand>;
}

const logQuery = z.object({
  tail: z.coerce.number().int().min(0).max(10_000).default(100).describe("Lines from the end of each service's log."),
  follow: z.enum(["0", "1", "true", "false"]).default("0").describe("Go on with what is printed."),
  service: z.string().max(64).optional().describe("One service only."),
});

export function streamRoutes(deps: StreamRoutesDeps): readonly Route[] {
  const { store, streams, doing } = deps;
  const whole = wholeReader(deps);
  return [
    route({
      method: "get",
      path: "/previews/:key/logs",
      id: "getLogs",
      tag: "Previews",
      summary: "What a preview's services print",
      description: "An error in the middle is the last line: `error` with its reason and message.",
      may: "look",
      where: "preview",
      query: logQuery,
      answer: { status: 200, schema: logLineSchema, type: "application/x-ndjson", says: "One line of JSON each." },
      async handle({ response, preview, query: { tail, follow, service } }) {
        const { key } = await preview();
        const follows = follow === "1" || follow === "true";
        await streams.logs(response, (signal) => deps.logs(key, { tail, follow: follows, service, signal }));
      },
    }),
    route({
      method: "get",
      path: "/previews/:key/events",
      id: "watch",
      tag: "Previews",
      summary: "A preview now and after each change",
      description: "Ends with the event in which it is gone.",
      may: "look",
      where: "preview",
      answer: {
        status: 200,
        schema: previewSchema,
        type: "text/event-stream",
        says: "Server-sent events whose data is the preview.",
      },
      async handle({ response, preview }) {
        const { key } = await preview();
        await streams.changes(response, {
          key,
          describe: async () => {
            const changed = await store.find(key);
            if (!changed) return undefined;
            const state = await whole(changed);
            return { state, last: state.stage === "Gone" };
          },
        });
      },
    }),
    route({
      method: "post",
      path: "/previews/:key/lease",
      id: "lease",
      tag: "Previews",
      summary: "The right to run an engine by hand",
      description: "One line with what an engine needs, secrets among it; held for as long as the connection lives.",
      may: "administer",
      where: "preview",
      tokenOnly: true,
      answer: {
        status: 200,
        schema: z.strictObject({ fence: z.number() }).loose(),
        type: "application/x-ndjson",
        says: "One line, then nothing until it ends.",
      },
      async handle({ request, response, preview }) {
        const held = await preview();
        const what = { action: "pulumi", key: held.key };
        const lease = await doing.note(request, what, () => deps.actions.lease(held.key));
        try {
          // It may have been long in coming, and who left meanwhile needs no secrets.
          if (response.destroyed) return;
          await streams.hold(response, { fence: lease.fence, ...(await deps.engineByHand?.(held)) }, lease.lost);
        } finally {
          await lease.release();
        }
      },
    }),
  ];
}
