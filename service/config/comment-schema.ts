/** How much is said on pull requests. */
import { z } from "zod";

export type Verbosity = "full" | "short" | "off";

/** YAML's `off` is a text; `true` and `false` are what older files say. */
export const comments = z
  .union([z.boolean(), z.enum(["full", "short", "off"])])
  .describe(
    "One comment per pull request, edited in place: `full`, `short` (state, link and what went wrong) or `off`; `true` is `full`, `false` is `off`. Default `full`.",
  );

export function verbosityOf(typed: z.infer<typeof comments> | undefined): Verbosity | undefined {
  if (typeof typed !== "boolean") return typed;
  return typed ? "full" : "off";
}
