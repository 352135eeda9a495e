import { chooseExporter } from "./choose.ts";
import type { OpenTelemetryOptions } from "./open-telemetry.ts";
import { createTracing, type Tracing } from "./tracing.ts";

/** What the log is told by, which is made after this. */
export type TraceLog = OpenTelemetryOptions["logger"];

/**
 * Traces where the variables ask for them, and else nothing. Throws `ConfigError` for a variable that means nothing.
 * @param logger asked for once something is to be told
 */
export async function openTracing(
  { version, logger }: { readonly version: string; readonly logger: () => TraceLog },
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Tracing> {
  const exporter = chooseExporter(environment);
  if (exporter === undefined) return createTracing();
  const { openSpans } = await import("./open-telemetry.ts");
  const later: TraceLog = {
    warn: (fields, message) => logger().warn(fields, message),
    info: (fields, message) => logger().info(fields, message),
  };
  return createTracing(await openSpans({ exporter, version, logger: later }));
}
