/** What a new version must pass before it counts as good: smoke tests, then gates. Part of the spec as a wish that causes no update. */
import { z } from "zod";

const named = { name: z.string().min(1).max(80), required: z.boolean() };

const path = z.string().startsWith("/");

/** One request and what its answer must be; tried again until it is, or the time is over. */
const request = {
  /** Absent: the one at the main link. */
  service: z.string().optional(),
  path,
  method: z.enum(["GET", "HEAD", "OPTIONS", "POST"]),
  /** Body, as JSON. */
  send: z.unknown().optional(),
  /** From and to, both included. */
  status: z.array(z.tuple([z.int(), z.int()])).min(1),
  /** Values by path, such as `checks[0].ok`. */
  json: z.record(z.string(), z.unknown()).optional(),
  contains: z.string().optional(),
  /** What headers hold, by their names in lower case. */
  headers: z.record(z.string(), z.string()).optional(),
  withinSeconds: z.number().positive(),
  /** Of each try. */
  timeoutSeconds: z.number().positive(),
};

const smokeTest = z.strictObject({ ...named, ...request });

const gate = z.discriminatedUnion("kind", [
  z.strictObject({
    ...named,
    kind: z.literal("command"),
    command: z.string().min(1),
    directory: z.string(),
    timeoutSeconds: z.number().positive(),
  }),
  z.strictObject({ ...named, ...request, kind: z.literal("http") }),
  z.strictObject({
    ...named,
    kind: z.literal("errorRate"),
    /** Name of the Prometheus server; absent: the only one. */
    from: z.string().optional(),
    query: z.string().min(1),
    /** Share of all requests, 0.01 = one in a hundred. */
    below: z.number().positive(),
    /** As Prometheus writes it: `5m`. */
    window: z.string(),
    /** Before it is asked. */
    afterSeconds: z.number().min(0),
    noData: z.enum(["pass", "fail"]),
  }),
  z.strictObject({
    ...named,
    kind: z.literal("pageSpeed"),
    service: z.string().optional(),
    path,
    ttfbMs: z.number().positive().optional(),
    totalKB: z.number().positive().optional(),
    requests: z.int().positive().optional(),
  }),
]);

export const checksSpec = z.strictObject({
  smoke: z.array(smokeTest),
  gates: z.array(gate),
  /** What becomes of a version that fails what is required. */
  onFailure: z.enum(["rollback", "keep"]),
});

export type ChecksSpec = z.infer<typeof checksSpec>;
export type SmokeTest = z.infer<typeof smokeTest>;
export type Gate = z.infer<typeof gate>;
export type GateOf<K extends Gate["kind"]> = Extract<Gate, { kind: K }>;

/** A command gate that runs now, in an update of its own over what serves. */
export const gateRun = z.strictObject({
  command: z.string().min(1),
  directory: z.string(),
  timeoutSeconds: z.number().positive(),
  /** Another one for each run. */
  run: z.int().min(0),
});
