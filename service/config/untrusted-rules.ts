/** What an operator says of pull requests that are not trusted, as written. */
import { z } from "zod";
import { headKeys } from "./head-changes.ts";

export const untrustedRules = z.strictObject({
  baseline: z
    .string()
    .regex(/^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/, "must be the name of a baseline")
    .optional()
    .describe("Baseline that their databases start as a copy of: one that strangers may read. Default: an empty one."),
  headMayChange: headKeys
    .optional()
    .describe(
      "Keys of `preview.yaml` that their approved commits may change, as `headMayChange` names them. Default: none.",
    ),
  withoutIsolation: z
    .boolean()
    .optional()
    .describe(
      "Whether they may be approved where the service does not run as root, so that they run as its own user and can read what it can. Default false.",
    ),
});
