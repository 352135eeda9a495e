/** `metrics` of stackling.yaml: who may read `/metrics` beside the API's own tokens. */
import { z } from "zod";
import { place } from "./place.ts";
import { secretReference } from "./secret-schema.ts";
import type { OperatorConfig } from "./types.ts";

export const metricsSchema = z
  .strictObject({
    token: secretReference
      .optional()
      .describe("Bearer token that opens `/metrics` and nothing else, read anew each time. Default: none."),
  })
  .describe("Who may read the metrics at `/metrics`, beside the API's tokens: docs/observability.md#access.");

export function metricsOf(
  typed: z.infer<typeof metricsSchema> | undefined,
  directory: string,
): Pick<OperatorConfig, "metrics"> {
  if (!typed) return {};
  return { metrics: typed.token ? { token: place(typed.token, directory) } : {} };
}
