/** An operator's own text of the comment: a Liquid template over the preview's facts, in which nothing of theirs is Markdown. */
import type { Liquid } from "liquidjs";
import { partsOf, withMarker } from "./comment/comment.ts";
import type { PreviewFacts } from "./comment/facts.ts";
import { COMMENT_MAX } from "./comment/limit.ts";
import { VOCABULARY, vocabularyFault } from "./comment/vocabulary.ts";
import { closest } from "./config/closest.ts";
import { inCode, text } from "./markdown.ts";

const LIMITS = { parseLimit: 200_000, renderLimit: 1_000, memoryLimit: 10_000_000 };
/** They read further templates, and ours is one. */
const TAGS_TAKEN = ["include", "render", "layout", "block"] as const;

export interface TemplateFault {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** Makes the comment of a preview's facts. Throws where the template fails on them or makes too long a text. */
export type CommentTemplate = (facts: PreviewFacts) => string;

/** The template, ready to be used, or every fault that can be seen before it is. */
export async function readTemplate(
  source: string,
): Promise<{ readonly render: CommentTemplate } | { readonly faults: readonly TemplateFault[] }> {
  const { Liquid } = await import("liquidjs");
  // Of the facts that are being rendered, which is done at one go.
  let addresses: ReadonlySet<string> = new Set();
  const outputEscape = (value: unknown) => {
    const words = value === undefined || value === null ? "" : String(value);
    return addresses.has(words) ? words.replaceAll("(", "%28").replaceAll(")", "%29") : text(words);
  };
  const engine = engineOf(new Liquid({ ...OPTIONS, outputEscape }));
  try {
    const parsed = engine.parse(source);
    const { globals } = engine.analyzeSync(parsed, { partials: false });
    const faults = Object.values(globals).flatMap((variables) =>
      variables.flatMap(({ segments, location }) => {
        const path = segments.map((segment) => (typeof segment === "object" ? "0" : segment));
        const fault = vocabularyFault(path);
        return fault === undefined ? [] : [{ line: location.row, message: `${fault}${hint(path)}` }];
      }),
    );
    if (faults.length > 0) return { faults: faults.toSorted((a, b) => a.line - b.line) };
    return {
      render(facts) {
        addresses = new Set(addressesIn(facts));
        const made = String(engine.renderSync(parsed, { ...facts, markdown: partsOf(facts) }));
        if (made.trim() === "") throw new Error("the template made no text");
        if (made.length > COMMENT_MAX) throw new Error(`the template made more than ${COMMENT_MAX} characters`);
        return withMarker(facts.key, made);
      },
    };
  } catch (error) {
    const isMany = error instanceof Error && "errors" in error && Array.isArray(error.errors);
    return { faults: (isMany ? (error.errors as readonly unknown[]) : [error]).map(faultOf) };
  }
}

const OPTIONS = {
  // No file is a template but the operator's own.
  templates: {},
  ownPropertyOnly: true,
  strictFilters: true,
  catchAllErrors: true,
  ...LIMITS,
};

function engineOf(engine: Liquid): Liquid {
  for (const tag of TAGS_TAKEN) delete engine.tags[tag];
  engine.registerFilter("code", { handler: (value: unknown) => inCode(String(value ?? "")), raw: true });
  return engine;
}

/** Ours and the forge's: where a template puts one it is to lead there. */
function addressesIn(value: unknown, name = ""): readonly string[] {
  if (typeof value === "string") return /url$/i.test(name) ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, part]: [string, unknown]) => addressesIn(part, key));
}

function hint(path: readonly (string | number)[]): string {
  const [root = "", next] = path.map(String);
  const names = Object.hasOwn(VOCABULARY, root) ? (VOCABULARY[root]?.holds ?? []) : Object.keys(VOCABULARY);
  const meant = closest(Object.hasOwn(VOCABULARY, root) ? (next ?? "") : root, names);
  return meant === undefined ? "" : `; did you mean "${meant}"?`;
}

/** Liquid's own words, without the place that it says apart. */
function faultOf(error: unknown): TemplateFault {
  const message = error instanceof Error ? error.message : String(error);
  const line = Number(/, line:(\d+)/.exec(message)?.[1] ?? 1);
  return { line, message: message.replace(/, (?:file:[^,]*, )?line:\d+.*$/s, "") };
}
