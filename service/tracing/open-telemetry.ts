/** OpenTelemetry's SDK, which this file alone knows. It is loaded only where the usual variables ask for traces. */
import { AsyncLocalStorage } from "node:async_hooks";
import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ConsoleSpanExporter,
  type SpanExporter,
} from "@opentelemetry/sdk-trace-base";
import type { Exporter } from "./choose.ts";
import { readTraceparent, traceparentOf } from "./traceparent.ts";
import type { Attributes, Span, SpanStart, Spans } from "./tracing.ts";

/** Of attributes that are words; the names of resources are the application's. */
const VALUE_MAX = 256;
const LINKS_MAX = 32;
const CLOSE_MS = 3_000;

export interface OpenTelemetryOptions {
  readonly exporter: Exporter;
  readonly version: string;
  /** Told once when nothing can be sent, and once when it can again. */
  readonly logger: { warn(fields: object, message: string): void; info(fields: object, message: string): void };
}

/**
 * Where it goes, how much of it and how it is named comes from the variables that the specification lists
 * ("Environment Variable Specification"): the SDK reads them.
 */
export async function openSpans({ exporter, version, logger }: OpenTelemetryOptions): Promise<Spans> {
  const own = resourceFromAttributes({ "service.name": "stackling", "service.version": version });
  const resource = defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }));
  const over = new AbortController();
  const sink = told(await exporterOf(exporter), { logger, over: over.signal });
  const provider = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(sink)] });
  const tracer = provider.getTracer("stackling", version);
  return {
    begin: (start) => begin(tracer, ROOT_CONTEXT, start),
    async close() {
      // A collector that does not answer must not hold up the end.
      const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref());
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
      over.abort();
    },
  };
}

function begin(tracer: Tracer, around: Context, start: SpanStart): Span {
  const parent = start.parent === undefined ? undefined : readTraceparent(start.parent);
  const context = parent ? trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true }) : around;
  const links = (start.links ?? []).slice(0, LINKS_MAX).flatMap((link) => readTraceparent(link) ?? []);
  const span = tracer.startSpan(
    start.name,
    {
      kind: KINDS[start.kind ?? "internal"],
      attributes: bounded(start.attributes ?? {}),
      links: links.map((linked) => ({ context: { ...linked, isRemote: true } })),
      ...(start.startedAtMs === undefined ? {} : { startTime: start.startedAtMs }),
    },
    context,
  );
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceId,
    spanId,
    traceparent: traceparentOf({ traceId, spanId, traceFlags }),
    set: (attributes) => void span.setAttributes(bounded(attributes)),
    begin: (part) => begin(tracer, trace.setSpan(ROOT_CONTEXT, span), part),
    end(errorType) {
      if (errorType !== undefined) {
        span.setAttribute("error.type", errorType.slice(0, VALUE_MAX));
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
    },
  };
}

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

function bounded(attributes: Attributes): Record<string, string | number | boolean> {
  const known = Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return Object.fromEntries(
    known.map(([name, value]) => [name, typeof value === "string" ? value.slice(0, VALUE_MAX) : value]),
  );
}

async function exporterOf(exporter: Exporter): Promise<SpanExporter> {
  switch (exporter) {
    case "console":
      return new ConsoleSpanExporter();
    case "http/protobuf":
      return new (await import("@opentelemetry/exporter-trace-otlp-proto")).OTLPTraceExporter();
    case "http/json":
      return new (await import("@opentelemetry/exporter-trace-otlp-http")).OTLPTraceExporter();
    case "grpc":
      return new (await import("@opentelemetry/exporter-trace-otlp-grpc")).OTLPTraceExporter();
  }
}

/** A collector that is away is told of once, not every few seconds; and not behind the end, when the log is closed. */
function told(
  exporter: SpanExporter,
  { logger, over }: Pick<OpenTelemetryOptions, "logger"> & { readonly over: AbortSignal },
): SpanExporter {
  let isAway = false;
  // Whatever made the spans: the log must not name its preview.
  const apart = AsyncLocalStorage.snapshot();
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.code !== 0;
        if (over.aborted) return done(result);
        if (failed && !isAway) {
          apart(() => logger.warn({ err: result.error }, "traces could not be sent and are lost until they can"));
        }
        if (!failed && isAway) apart(() => logger.info({}, "traces are sent again"));
        isAway = failed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
