/** Costs as a file for billing dashboards. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import type { Costs } from "../../money/costs.ts";
import { EXPORT_FORMATS } from "../../money/focus/export.ts";
import { spanOfMonth } from "../../money/month.ts";
import { type Route, route } from "../route.ts";
import { month } from "./costs.ts";

const TYPES = { csv: "text/csv; charset=utf-8", parquet: "application/vnd.apache.parquet" } as const;

const query = z.object({
  month: month.optional().describe("Default: this month."),
  format: z.enum(EXPORT_FORMATS).default("csv").describe("Of the file."),
});

/** As a stream says that the visitor went, in the middle of the file or before it. */
const GONE: ReadonlySet<string | undefined> = new Set(["ERR_STREAM_PREMATURE_CLOSE", "ERR_STREAM_UNABLE_TO_PIPE"]);

export function costExportRoute({ costs }: { readonly costs: Pick<Costs, "exported" | "now"> }): Route {
  return route({
    method: "get",
    path: "/costs/export",
    id: "exportCosts",
    tag: "Instance",
    summary: "A month's costs by day in the columns of FOCUS 1.2",
    description: "Of the repositories that the caller may look at. As CSV, or Parquet by `format`.",
    may: "look",
    where: "anywhere",
    query,
    answer: { status: 200, schema: z.string(), type: "text/csv", or: { [TYPES.parquet]: z.file() }, says: "The file." },
    async handle({ query: { format, month: asked = costs.now().slice(0, 7) }, caller: { repositories }, response }) {
      const file = await costs.exported({
        ...{ format, ...spanOfMonth(asked) },
        ...(repositories === undefined ? {} : { repositories }),
      });
      response
        .setHeader("content-type", TYPES[format])
        .setHeader("content-disposition", `attachment; filename="stackling-${asked}.${format}"`);
      await pipeline(Readable.from(file), response).catch((error: NodeJS.ErrnoException) => {
        // Who goes away before the end wants no more of it. All else broke the file off, and the connection with it.
        if (!GONE.has(error.code)) throw error;
      });
    },
  });
}
