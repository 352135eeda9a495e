/** PromQL of error rate gates: the preview's values in it, and what its answer means. Pure. */
import type { GateOf } from "../../infra/checks.ts";

/** What stands for a preview in a query. */
export interface QueryFacts {
  readonly key: string;
  readonly stack: string;
  readonly host: string;
  readonly commit: string;
}

/** With this preview's values and the window; what could end a quoted string of PromQL is a dot in its place. */
export function filledQuery(
  { query, window }: Pick<GateOf<"errorRate">, "query" | "window">,
  facts: QueryFacts,
): string {
  return query.replace(PLACEHOLDER, (_text, ofPreview: keyof QueryFacts | undefined) =>
    ofPreview === undefined ? window : escaped(facts[ofPreview]),
  );
}

/** A name in a query that stands for nothing, and would reach Prometheus as it is; undefined: there is none. */
export function unknownPlaceholder(query: string): string | undefined {
  return /\$\{[^}]*\}?/.exec(query.replace(PLACEHOLDER, ""))?.[0];
}

/** A placeholder of the preview outside quotes, where its value would be read as PromQL; undefined: there is none. */
export function unquotedPlaceholder(query: string): string | undefined {
  let quote = "";
  for (let at = 0; at < query.length; at += 1) {
    const one = query[at] ?? "";
    if (quote !== "" && one === "\\" && quote !== "`") at += 1;
    else if (one === quote) quote = "";
    else if (quote === "" && /["'`]/.test(one)) quote = one;
    else if (query.startsWith("${preview.", at) && quote !== '"' && quote !== "'")
      return query.slice(at).match(/^[^}]*\}?/)?.[0];
  }
  return undefined;
}

/** What came of it, as the rest of a sentence. */
export function judgeShare(
  { below, noData, window }: Pick<GateOf<"errorRate">, "below" | "noData" | "window">,
  share: number | undefined,
): { readonly ok: boolean; readonly text: string } {
  if (share === undefined) return { ok: noData === "pass", text: `there is no data of the last ${window}` };
  const ok = share < below;
  const found = `${percent(share)} of requests failed in the last ${window}`;
  return { ok, text: ok ? `${found}, below ${percent(below)}` : `${found}; it must be below ${percent(below)}` };
}

const PLACEHOLDER = /\$\{(?:preview\.(key|stack|host|commit)|window)\}/g;

function escaped(value: string): string {
  return value.replace(/[\\"'`\n\r\0]/g, ".");
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
