/** What is said elsewhere, as spans: the last of a trace is the link in the pull request. */
import { mainUrl } from "../addresses.ts";
import type { Outcome, Sink } from "../notify.ts";
import type { Tracing } from "./tracing.ts";

export function sinkWithSpans(sink: Sink, tracing: Tracing): Sink {
  if (!tracing.isOn) return sink;
  return {
    name: sink.name,
    write: (preview) => {
      const { key, status } = preview;
      const attributes = {
        "stackling.preview": key,
        "stackling.sink": sink.name,
        "stackling.condition": status.condition,
        "stackling.reason": status.reason,
        "vcs.ref.head.revision": status.headSha,
      };
      return tracing.span({ name: "announce", kind: "client", attributes }, async (span) => {
        const outcome = await sink.write(preview);
        if (status.condition !== "Reconciling") tracing.unfinished.end(key);
        const isLink = outcome === "written" && status.condition === "Ready";
        span?.set({ "stackling.outcome": wordOf(outcome), ...(isLink ? { "url.full": mainUrl(preview) } : {}) });
        return outcome;
      });
    },
  };
}

function wordOf(outcome: Outcome): string {
  return typeof outcome === "string" ? outcome : "held";
}
