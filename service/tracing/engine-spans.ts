/** Engine runs as spans, and in them the engine's own steps: what it makes, changes and removes. */
import type { RunEvent, RunRequest, Stacks } from "../../infra/stacks.ts";
import type { Attributes, Span, Tracing } from "./tracing.ts";

/** Of one run; a stack of thousands of resources is told of in part. */
const STEPS_MAX = 500;

/**
 * The engines' events come from their processes already, so that no child needs a library or knows of the trace. Their
 * own times are whole seconds; a step's begin and end are when they are heard of, which is milliseconds later.
 */
export function withSpans(stacks: Stacks, tracing: Tracing): Stacks {
  if (!tracing.isOn) return stacks;
  const run = <T, R extends RunRequest>(
    { name, stack, request }: { readonly name: string; readonly stack: string; readonly request: R },
    work: (request: R) => Promise<T>,
  ): Promise<T> =>
    tracing.span({ name, attributes: { "pulumi.stack": stack } }, async (span) => {
      const steps = stepSpans(span);
      const onEvent = (event: RunEvent) => {
        steps.hear(event);
        request.onEvent?.(event);
      };
      let isWhole = false;
      try {
        const result = await work({ ...request, onEvent });
        isWhole = true;
        return result;
      } finally {
        steps.end(isWhole ? undefined : "CutOff");
      }
    });
  return {
    ...stacks,
    up: (request) => run({ name: "pulumi up", stack: request.spec.stack, request }, (told) => stacks.up(told)),
    destroy: (request) =>
      run({ name: "pulumi destroy", stack: request.stack, request }, (told) => stacks.destroy(told)),
    drift: (request) => run({ name: "pulumi refresh", stack: request.stack, request }, (told) => stacks.drift(told)),
  };
}

interface StepSpans {
  hear(event: RunEvent): void;
  /** What is open ends with its run. */
  end(errorType?: string): void;
}

function stepSpans(run: Span | undefined): StepSpans {
  const open = new Map<string, Span>();
  let made = 0;
  // For a free one, for its process, and for the program.
  let starting = run?.begin({ name: "start engine" });
  return {
    hear(event) {
      const { kind, operation, urn, done, failed } = event;
      starting?.end();
      starting = undefined;
      // What stays as it is takes no time of its own.
      if (kind !== "resource" || urn === undefined || operation === undefined || operation === "same") return;
      const id = `${operation} ${urn}`;
      if (done) {
        open.get(id)?.end(failed ? "ResourceFailed" : undefined);
        open.delete(id);
      } else if (run && !open.has(id) && made < STEPS_MAX) {
        made++;
        open.set(id, run.begin({ name: `${operation} ${event.type ?? "resource"}`, attributes: attributesOf(event) }));
      }
    },
    end(errorType) {
      starting?.end(errorType);
      for (const span of open.values()) span.end(errorType);
      open.clear();
    },
  };
}

function attributesOf({ operation, type, name }: RunEvent): Attributes {
  return { "pulumi.operation": operation, "pulumi.resource.type": type, "pulumi.resource.name": name };
}
