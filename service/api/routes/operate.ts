/** What is asked of all previews at once, and of the service itself. */
import { z } from "zod";
import type { Finding } from "../../../components/ports.ts";
import type { ExternalServices } from "../../external/services.ts";
import type { Operate } from "../../operate.ts";
import { EVERYTHING, may } from "../../roles.ts";
import type { Store } from "../../store/store.ts";
import type { Doing, Noted } from "../doing.ts";
import { FORBIDDEN, Refused } from "../problem.ts";
import { type Route, route } from "../route.ts";

export interface OperateRoutesDeps {
  readonly operate: Operate;
  readonly doing: Pick<Doing, "note">;
  readonly doctor: () => Promise<readonly Finding[]>;
  readonly external: Pick<ExternalServices, "read">;
  readonly store: Pick<Store, "counters">;
}

const name = z.string().min(1).max(1024);
const pauseRequest = z.strictObject({
  paused: z.boolean(),
  by: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .optional()
    .describe("Who says so, for people; believed of the instance's own token alone."),
  seen: z
    .strictObject({ at: z.iso.datetime(), by: z.string().min(1).max(1024) })
    .optional()
    .describe(
      "With `paused: false`: `at` and `by` of the stop that is to end, so that a second try ends no other; 409 where another holds. A budget's stop ends by a lift of that budget until the month ends.",
    ),
});

export const sweepRequest = z.strictObject({
  dryRun: z.boolean().default(false).describe("Name what is found and remove nothing."),
  confirm: z
    .union([z.literal(true), z.array(name).min(1).max(1000)])
    .optional()
    .describe("Also what only a person may let go: all that has no stack, or the previews and stacks named."),
});
export type SweepRequest = z.input<typeof sweepRequest>;

/** As the audit has it. */
export function sweepNoted({ confirm }: Pick<SweepRequest, "confirm">): Noted {
  if (confirm === undefined) return { action: "sweep" };
  return { action: "sweep", detail: confirm === true ? "confirmed all" : `confirmed ${confirm.join(", ")}` };
}

const text = z.string();
const time = z.iso.datetime();
const pauseAnswer = z.strictObject({
  pause: z
    .strictObject({ at: time, by: text, to: time.optional() })
    .nullable()
    .describe("Null while nothing is stopped."),
});
const report = z
  .strictObject({
    at: time,
    dryRun: z.boolean(),
    found: z.array(
      z.strictObject({
        stack: text,
        key: text.optional(),
        hasStack: z.boolean(),
        things: z.array(z.strictObject({ kind: text, id: text })),
        why: text,
        needsConfirmation: z.boolean(),
      }),
    ),
    removed: z.array(text),
    failed: z.array(z.strictObject({ stack: text, message: text })),
    unread: z.array(text),
  })
  .meta({ id: "SweepReport" });
const services = z.strictObject({
  at: time,
  services: z.array(
    z.strictObject({
      repository: text,
      name: text,
      preview: text,
      production: text.optional(),
      development: text.optional(),
      review: text.optional(),
      overdue: z.boolean(),
      secrets: z.array(text).describe("Names, never values."),
    }),
  ),
  warnings: z.array(z.strictObject({ kind: z.enum(["overdue", "unread", "unnamed"]), message: text })),
});

export function operateRoutes(deps: OperateRoutesDeps): readonly Route[] {
  const { operate, doing } = deps;
  const pauseNow = async () => ({ pause: (await operate.pause()) ?? null });
  return [
    route({
      method: "get",
      path: "/pause",
      id: "getPause",
      tag: "Instance",
      summary: "Whether everything is stopped",
      may: "look",
      where: "anywhere",
      answer: { status: 200, schema: pauseAnswer, says: "Since when and by whom." },
      handle: pauseNow,
    }),
    route({
      method: "post",
      path: "/pause",
      id: "setPause",
      tag: "Instance",
      summary: "Stop everything, or let it go on",
      may: "administer",
      where: "everything",
      body: pauseRequest,
      answer: { status: 202, schema: pauseAnswer, says: "As it is now." },
      async handle({ request, caller, body: { paused, by, seen } }) {
        // Its bearer is whoever sits at the machine, and says who that is.
        const said = caller.name === "api" ? by : undefined;
        const what = { action: paused ? "stop-all" : "resume-all", ...(said ? { detail: `as ${said}` } : {}) };
        await doing.note(request, what, async (asker) => {
          if (!paused) return operate.resumeAll(said ?? asker, seen);
          await operate.stopAll(said ?? asker);
        });
        return pauseNow();
      },
    }),
    route({
      method: "get",
      path: "/sweep",
      id: "getSweep",
      tag: "Instance",
      summary: "What the last sweep came to",
      may: "operate",
      where: "everything",
      answer: {
        status: 200,
        schema: z.strictObject({ report: report.nullable() }),
        says: "Null before the first.",
      },
      handle: async () => ({ report: (await operate.lastSweep()) ?? null }),
    }),
    route({
      method: "post",
      path: "/sweep",
      id: "sweep",
      tag: "Instance",
      summary: "Remove what no preview owns any more",
      description: "Answers when it is done. `confirm` is for admins.",
      may: "operate",
      where: "everything",
      body: sweepRequest,
      answer: { status: 200, schema: z.strictObject({ report }), says: "What became of each." },
      async handle({ request, caller, body }) {
        if (body.confirm !== undefined && !may(caller, "administer", EVERYTHING))
          throw new Refused(403, FORBIDDEN, 'sweeping: "confirm" is for admins');
        const sweep = () => operate.sweep(body);
        return { report: body.dryRun ? await sweep() : await doing.note(request, sweepNoted(body), sweep) };
      },
    }),
    route({
      method: "get",
      path: "/doctor",
      id: "doctor",
      tag: "Instance",
      summary: "What is found wrong, with the way out",
      may: "look",
      where: "everything",
      answer: {
        status: 200,
        schema: z.strictObject({
          findings: z.array(z.strictObject({ ok: z.boolean(), what: text, remedy: text.optional() })),
          counters: z.record(text, z.number()),
        }),
        says: "Findings, good ones too, and counters.",
      },
      handle: async () => ({
        findings: await deps.doctor(),
        counters: await deps.store.counters().catch(() => ({})),
      }),
    }),
    route({
      method: "get",
      path: "/services",
      id: "listServices",
      tag: "Instance",
      summary: "Services of others that the repositories use",
      may: "look",
      where: "everything",
      answer: { status: 200, schema: services, says: "By repository." },
      handle: () => deps.external.read(),
    }),
  ];
}
