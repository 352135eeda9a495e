/** What was done to bring a preview to its version, and what was said while it was. */
import { z } from "zod";
import { STAGES as DEPLOY_STAGES } from "../../deployments/deployment.ts";
import type { Deployments } from "../../deployments/deployments.ts";
import { NotFound } from "../problem.ts";
import { type Route, route } from "../route.ts";
import type { Streams } from "../streams.ts";

export interface DeploymentRoutesDeps {
  readonly deployments: Pick<Deployments, "deployments" | "deployment" | "lines">;
  readonly streams: Pick<Streams, "lines">;
}

const text = z.string();
const time = z.iso.datetime().describe("ISO 8601 UTC");

const deploymentSchema = z.strictObject({
  id: text,
  key: text,
  kind: z.enum(["up", "destroy"]),
  commit: text.optional(),
  cause: text.describe("Why it was done, in words."),
  at: time,
  endedAt: time.optional(),
  outcome: z.enum(["running", "done", "failed", "interrupted"]),
  reason: text.optional(),
  message: text.optional(),
  steps: z.array(
    z.strictObject({
      stage: z.enum(DEPLOY_STAGES),
      at: time,
      endedAt: time.optional(),
      failed: z.literal(true).optional(),
    }),
  ),
  lines: z.int().describe("Number of the last line; of many the middle is left out."),
});

const lineSchema = z.strictObject({
  n: z.int().describe("From 1; where one is missing, lines were left out."),
  at: time,
  kind: z.enum(["step", "engine", "output", "problem"]),
  source: text.optional().describe("`install`, `build`, `migrate`, `seed`, or a service."),
  text,
});

/** As far as the store counts. */
const LINE_MAX = 2_147_483_647;

const logQuery = z.object({
  after: z.coerce.number().int().min(0).max(LINE_MAX).default(0).describe("Number of the last line that is known."),
  follow: z.enum(["0", "1", "true", "false"]).default("0").describe("Go on until it has ended."),
});

export function deploymentRoutes({ deployments, streams }: DeploymentRoutesDeps): readonly Route[] {
  return [
    route({
      method: "get",
      path: "/previews/:key/deployments",
      id: "listDeployments",
      tag: "Previews",
      summary: "The last deployments of a preview, newest first",
      may: "look",
      where: "preview",
      answer: {
        status: 200,
        schema: z.strictObject({ deployments: z.array(deploymentSchema) }),
        says: "As many as are kept.",
      },
      handle: async ({ preview }) => ({ deployments: await deployments.deployments((await preview()).key) }),
    }),
    route({
      method: "get",
      path: "/previews/:key/deployments/:id/log",
      id: "getDeploymentLog",
      tag: "Previews",
      summary: "What was said while a preview was deployed",
      description:
        "`latest` is the newest one. An error in the middle is the last line: `error` with its reason and message.",
      may: "look",
      where: "preview",
      query: logQuery,
      answer: { status: 200, schema: lineSchema, type: "application/x-ndjson", says: "One line of JSON each." },
      async handle({ response, preview, param, query: { after, follow } }) {
        const { key } = await preview();
        const wanted = param("id");
        const id = wanted === "latest" ? (await deployments.deployments(key))[0]?.id : wanted;
        if (id === undefined || !(await deployments.deployment(key, id)))
          throw new NotFound(
            `finding a deployment of "${key}": there is none with the number "${wanted.slice(0, 40)}"`,
          );
        const follows = follow === "1" || follow === "true";
        await streams.lines(response, (signal) => deployments.lines(key, id, { after, follow: follows, signal }));
      },
    }),
  ];
}
