/** What several parts of the config are typed as. */
import { z } from "zod";
import { parseDuration } from "./duration.ts";

export const count = z.int().min(1, "must be at least 1");

export const duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, 'must be a time such as "30m", "48h" or "14d"');

/** Of an environment variable. */
export const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be letters, digits and underscores, no digit first");
