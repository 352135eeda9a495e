/** `smoke`, `gates` and `onFailure` of preview.yaml: as a person writes them. Descriptions become the JSON Schema and docs/config.md. */
import { z } from "zod";
import type { SmokeTest } from "../../infra/checks.ts";
import { parseDuration } from "./duration.ts";
import { duration } from "./scalars.ts";

/** Of one try, and of all tries together. */
export const TRY_SECONDS = { usual: 10, most: 60 };
export const WITHIN_SECONDS = { usual: 30, most: 300 };
/** An engine that hears nothing for five minutes is ended. */
export const COMMAND_SECONDS = { usual: 120, most: 240 };
const AFTER_SECONDS = 300;
/** Of smoke tests and gates together; the operator may set less. */
const CHECKS_MAX = 100;
const TEXT_MAX = 4_000;
const REQUEST_PATH = /^\/(?!\/)[^\s#\\]*$/;

const seconds = (most: number) =>
  duration.refine((text) => (parseDuration(text) ?? 0) <= most, `must be at most ${most} seconds`);

const path = z
  .string()
  .max(2_000, "must be at most 2000 characters")
  .regex(REQUEST_PATH, 'must be a path such as "/health", without space, # or \\: checks go to the preview alone')
  .describe("Path, with its query if need be. It is asked at the preview itself and nowhere else.");

const OUT_OF_RANGE = "must be a status from 100 to 599";
const code = z.int().min(100, OUT_OF_RANGE).max(599, OUT_OF_RANGE);

const status = z
  .union([code, z.string(), z.array(z.union([code, z.string()])).min(1)])
  .refine(
    (typed) => statusesOf(typed) !== undefined,
    'must be a status such as 200, a range such as "200-299", or a list',
  )
  .describe(
    "Status of the answer: one, a range such as `200-299`, or a list of both. Redirects are not followed. Default `200-399`.",
  );

const name = z.string().trim().min(1, "must be a name, is empty").max(80, "must be at most 80 characters");
const service = z.string().describe("Web service that is asked. Default: the one at the main link.");
const required = z.boolean().describe("`false`: it is told, and nothing follows from it. Default true.");

const request = {
  service: service.optional(),
  path,
  method: z.enum(["GET", "HEAD", "OPTIONS", "POST"]).optional().describe("Default `GET`."),
  send: z.unknown().optional().describe("Body, sent as JSON; with `POST` only."),
  status: status.optional(),
  json: z
    .record(z.string().min(1).max(200), z.unknown())
    .optional()
    .describe('Values that the JSON of the answer must have, by path: `{"status": "ok", "checks[0].ok": true}`.'),
  contains: z.string().min(1).max(TEXT_MAX).optional().describe("Text that the answer must hold."),
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9-]{1,60}$/, "must be the name of a header"), z.string().max(TEXT_MAX))
    .optional()
    .describe("Text that headers of the answer must hold, by their names; without regard to case."),
  within: seconds(WITHIN_SECONDS.most)
    .optional()
    .describe("It is asked again until the answer is right, for so long. Default 30s, at most 5m."),
  timeout: seconds(TRY_SECONDS.most).optional().describe("Of each try. Default 10s, at most 60s."),
};

const smoke = z.union([
  path,
  z.strictObject({
    name: name.optional().describe("Shown with its result. Default: method and path."),
    ...request,
    required: required.optional(),
  }),
]);

const KINDS = ["command", "http", "errorRate", "pageSpeed"] as const;

const gate = z
  .strictObject({
    name: name.optional().describe("Shown with its result. Default: what it does."),
    required: required.optional(),
    command: z
      .string()
      .trim()
      .min(1, "must be a command, is empty")
      .optional()
      .describe(
        "Shell command that must succeed, run as migrations are: with the services' environment, and with STACKLING_ADDRESS, the private address of the main service (`http://host:port`).",
      ),
    directory: z
      .string()
      .min(1)
      .optional()
      .describe("Folder that the command runs in; the repository's root by default."),
    timeout: seconds(COMMAND_SECONDS.most).optional().describe("Of the command. Default 2m, at most 4m."),
    http: z
      .union([path, z.strictObject(request)])
      .optional()
      .describe("A request, as in `smoke`."),
    errorRate: z
      .strictObject({
        query: z
          .string()
          .trim()
          .min(1, "must be a query, is empty")
          .max(TEXT_MAX)
          .describe(
            "PromQL that gives a share of requests. `${preview.key}`, `${preview.stack}`, `${preview.host}`, `${preview.commit}` stand for this preview, inside quotes; `${window}` for `window`.",
          ),
        from: z.string().optional().describe("Prometheus server by the operator's name. Default: the only one."),
        below: z
          .union([
            z.number().positive("must be more than 0").max(1, "must be at most 1"),
            z.string().regex(/^\d{1,3}(\.\d+)?\s*%$/, 'must be a share such as "1 %" or 0.01'),
          ])
          .optional()
          .describe("It must be below that: `1 %` or `0.01`. Default `1 %`."),
        window: z
          .string()
          .regex(/^[1-9]\d{0,4}[smh]$/, 'must be a time such as "5m"')
          .optional()
          .describe("What `${window}` stands for. Default `5m`."),
        after: seconds(AFTER_SECONDS)
          .optional()
          .describe("How long it waits before it asks, for visitors to come. Default: not at all; at most 5m."),
        noData: z.enum(["pass", "fail"]).optional().describe("What no answer, or 0 of 0, means. Default `pass`."),
      })
      .optional()
      .describe("Share of failed requests by a Prometheus server that the operator names."),
    pageSpeed: z
      .strictObject({
        service: service.optional(),
        path: path.optional(),
        ttfbMs: z
          .number()
          .positive("must be more than 0")
          .optional()
          .describe("Milliseconds to the first byte, at the median of three."),
        totalKB: z
          .number()
          .positive("must be more than 0")
          .optional()
          .describe("Kilobytes of page, styles, scripts and images of its own, as transferred."),
        requests: z
          .int()
          .positive("must be more than 0")
          .optional()
          .describe("How many requests of its own the page makes, itself included."),
      })
      .refine(({ ttfbMs, totalKB, requests }) => (ttfbMs ?? totalKB ?? requests) !== undefined, {
        message: 'needs a budget: "ttfbMs", "totalKB" or "requests"',
      })
      .optional()
      .describe("Budget of a page, measured from the service's side without a browser."),
  })
  .refine((typed) => KINDS.filter((kind) => typed[kind] !== undefined).length === 1, {
    message: `must have one of ${KINDS.map((kind) => `"${kind}"`).join(", ")}`,
  });

export const checksShape = {
  smoke: z
    .array(smoke)
    .max(CHECKS_MAX)
    .optional()
    .describe(
      "Requests that a new version must answer before it counts as ready: paths, or maps for more. Default: none beyond the health check.",
    ),
  gates: z
    .array(gate)
    .max(CHECKS_MAX)
    .optional()
    .describe("What else it must pass, after the smoke tests: commands, requests, an error rate, a page's speed."),
  onFailure: z
    .enum(["rollback", "keep"])
    .optional()
    .describe(
      "What comes of a version that fails what is required: `rollback` to the last good commit until the next push, or `keep` it serving. Default `rollback`.",
    ),
};

const checksFile = z.strictObject(checksShape);
export type ChecksFile = z.infer<typeof checksFile>;
export type SmokeFile = z.infer<typeof smoke>;
export type RequestFile = Extract<SmokeFile, object>;
export type GateFile = z.infer<typeof gate>;
type StatusFile = number | string;

/** Ranges that are meant; undefined for what is no status. */
export function statusesOf(typed: StatusFile | readonly StatusFile[]): SmokeTest["status"] | undefined {
  const all = typeof typed === "object" ? typed : [typed];
  const ranges = all.map((one): [number, number] | undefined => {
    const [, from, to] = /^([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?$/.exec(String(one)) ?? [];
    if (from === undefined) return undefined;
    const range: [number, number] = [Number(from), Number(to ?? from)];
    return range[0] <= range[1] ? range : undefined;
  });
  return ranges.every((range) => range !== undefined) ? ranges : undefined;
}
