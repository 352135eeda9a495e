/**
 * One trace from a delivery to the link, and what a line of the log says of where it stands. Nobody asks for traces
 * unless the usual variables do; then this is a function call, and no library of theirs is loaded.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { createUnfinished, type Unfinished } from "./unfinished.ts";

export type SpanKind = "internal" | "server" | "client" | "producer" | "consumer";
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanStart {
  /** What is done, of few different ones: what it is done to stands in the attributes. */
  readonly name: string;
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  /** W3C `traceparent` of what it belongs to, from elsewhere. Absent: what is under way here. */
  readonly parent?: string | undefined;
  /** `traceparent`s of what led to it as well. */
  readonly links?: readonly string[];
  /** Milliseconds since the epoch; absent: now. */
  readonly startedAtMs?: number;
}

/** A span that runs. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** As W3C has it, to be carried elsewhere. */
  readonly traceparent: string;
  set(attributes: Attributes): void;
  /** A part of it, which the caller ends. */
  begin(start: SpanStart): Span;
  /** @param errorType why it was in vain, of few different ones; absent: it was not */
  end(errorType?: string): void;
}

/** Where spans go to: `open-telemetry.ts`. */
export interface Spans {
  begin(start: SpanStart): Span;
  /** Sends what is left. Never rejects. */
  close(): Promise<void>;
}

/** What lines of the log bear. */
export interface Fields {
  readonly key?: string;
  readonly deliveryId?: string;
}

/** What is handed on with a key: a hint, on which nothing depends but the trace and the log. */
export interface Origin {
  readonly deliveryId?: string;
  readonly traceparent?: string;
}

export interface Tracing {
  readonly isOn: boolean;
  /** What later looks at a key go on with that nobody asked for. */
  readonly unfinished: Unfinished;
  /** Does it as a span that ends with it; undefined is what it gets while nobody asks for traces. */
  span<T>(start: SpanStart, work: (span: Span | undefined) => Promise<T>): Promise<T>;
  /** All lines of the log that come of it bear the fields. */
  within<T>(fields: Fields, work: () => T): T;
  /** The same for what only happens to be begun here, and is no part of what is under way. */
  apart<T>(fields: Fields, work: () => T): T;
  /** For the log: the fields, and the ids of the span under way. */
  fields(): Readonly<Record<string, string>>;
  /** Of what is under way. */
  origin(): Origin;
  /** Sends what is left. Never rejects. */
  close(): Promise<void>;
}

interface Place {
  readonly fields: Fields;
  readonly span?: Span;
}

/** @param spans absent: no traces are made */
export function createTracing(spans?: Spans): Tracing {
  const places = new AsyncLocalStorage<Place>();

  async function spanned<T>(to: Spans, start: SpanStart, work: (span: Span) => Promise<T>): Promise<T> {
    const here = places.getStore();
    const span = here?.span && start.parent === undefined ? here.span.begin(start) : to.begin(start);
    try {
      const result = await places.run({ fields: here?.fields ?? {}, span }, () => work(span));
      span.end();
      return result;
    } catch (error) {
      span.end(errorType(error));
      throw error;
    }
  }

  return {
    isOn: spans !== undefined,
    unfinished: createUnfinished(),
    span: (start, work) => (spans ? spanned(spans, start, work) : work(undefined)),
    within: (fields, work) => {
      const here = places.getStore();
      return places.run({ ...here, fields: { ...here?.fields, ...fields } }, work);
    },
    apart: (fields, work) => places.run({ fields }, work),
    fields() {
      const { fields, span } = places.getStore() ?? {};
      // Names as OpenTelemetry has them in logs that are no OTLP.
      return { ...fields, ...(span ? { trace_id: span.traceId, span_id: span.spanId } : {}) };
    },
    origin() {
      const { fields: { deliveryId } = {}, span } = places.getStore() ?? {};
      return {
        ...(deliveryId === undefined ? {} : { deliveryId }),
        ...(span ? { traceparent: span.traceparent } : {}),
      };
    },
    close: async () => spans?.close(),
  };
}

/** Never the message, which may tell anything: the reason of an error of ours, else the name of its class or its code. */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return "_OTHER";
  if ("reason" in error && typeof error.reason === "string") return error.reason;
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
