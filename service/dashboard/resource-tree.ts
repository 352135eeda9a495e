/** The resources of a stack as a tree, as its state tells of them. Pure. */
import { redact } from "../../components/local/redact.ts";
import type { StackResource } from "../../infra/stack-resources.ts";

export interface ResourceNode {
  readonly resource: StackResource;
  readonly children: readonly ResourceNode[];
}

/** What has no parent there stands at the top; the stack itself and vendors' providers are left out. */
export function resourceTree(resources: readonly StackResource[]): readonly ResourceNode[] {
  const shown = resources.filter(({ type }) => !type.startsWith("pulumi:"));
  const urns = new Set(shown.map(({ urn }) => urn));
  const byParent = Map.groupBy(shown, ({ parent }) => (parent !== undefined && urns.has(parent) ? parent : ""));
  const seen = new Set<string>();
  const nodesOf = (parent: string): readonly ResourceNode[] =>
    (byParent.get(parent) ?? [])
      .filter(({ urn }) => !seen.has(urn) && seen.add(urn))
      .map((resource) => ({ resource, children: nodesOf(resource.urn) }));
  return nodesOf("");
}

const VALUE_MAX = 300;
/** Not said of a single resource: large, or of no use to people. */
const HIDDEN =
  /^(spec|environment|secrets|tags|__.*)$|secret|passw(?:or)?d|token|private|credential|(?:api|access)[_-]?key/i;

/** Outputs as words; what may hold a credential is masked, what is large is cut. */
export function outputWords(outputs: Readonly<Record<string, unknown>>): readonly (readonly [string, string])[] {
  return Object.entries(outputs)
    .filter(([name, value]) => !HIDDEN.test(name) && value !== null && value !== "" && value !== undefined)
    .map(([name, value]) => [name, cut(wordsOf(value))] as const)
    .filter(([, text]) => text !== "{}" && text !== "[]");
}

/** `stackling:local:DatabaseAccess` as `database access`, `kubernetes:apps/v1:Deployment` as `deployment`, of our components the port */
export function typeWords(type: string): string {
  const [, port, driver] = /^stackling:(?!local:)([^:]+):([^:]+)$/.exec(type) ?? [];
  if (port !== undefined && driver !== undefined) return `${port} (${driver.toLowerCase()})`;
  const last = type.slice(type.lastIndexOf(":") + 1);
  return last.replace(/(?<=[a-z0-9])(?=[A-Z])/g, " ").toLowerCase();
}

/** Each string by itself: in JSON its quotes are others. */
function wordsOf(value: unknown): string {
  if (typeof value === "string") return redact(value);
  const masked = (name: string, inner: unknown) => {
    if (HIDDEN.test(name)) return undefined;
    return typeof inner === "string" ? redact(inner) : inner;
  };
  return JSON.stringify(value, masked) ?? "";
}

function cut(text: string): string {
  return text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX)} …` : text;
}
