/** A value that a JSON Schema allows, for examples: always the same, and as an instance might answer. */
import type { JsonSchema } from "./markdown.ts";

type Schemas = Readonly<Record<string, JsonSchema>>;

/** With what is always there and nothing else; of alternatives the first. */
export function sampleOf(schema: JsonSchema, schemas: Schemas, name = ""): unknown {
  const { $ref, anyOf, oneOf, allOf, type, properties = {}, required = [], items } = schema;
  if ($ref !== undefined) return sampleOf(schemas[$ref.slice($ref.lastIndexOf("/") + 1)] ?? {}, schemas, name);
  if (schema.const !== undefined) return schema.const;
  const [first] = anyOf ?? oneOf ?? allOf ?? [];
  if (first) return sampleOf(first, schemas, name);
  const known = KNOWN[name];
  if (schema.enum) return schema.enum.includes(known) ? known : schema.enum[0];
  if (schema.default !== undefined && known === undefined) return schema.default;
  switch (type) {
    case "object":
      return Object.fromEntries(
        Object.entries(properties)
          .filter(([key]) => required.includes(key) || FIRST.includes(key))
          .map(([key, property]) => [key, sampleOf(property, schemas, key)]),
      );
    case "array":
      return items ? [sampleOf(items, schemas, name)] : [];
    case "integer":
    case "number":
      return typeof known === "number" ? known : Math.max(schema.minimum ?? 1, 1);
    case "boolean":
      return known ?? false;
    case "string":
      return textOf(schema, known);
    default:
      return null;
  }
}

function textOf({ format }: JsonSchema, known: unknown): string {
  if (format === "date") return "2026-11-22";
  if (format === "date-time") return "2026-11-22T10:00:00.000Z";
  return typeof known === "string" ? known : "…";
}

/** Shown although they may be left out: an example without them would say little. */
const FIRST = ["url", "title", "sha", "repository", "expires"];

const KNOWN: Readonly<Record<string, unknown>> = {
  key: "shop#42",
  keys: "shop#42",
  repository: "shop",
  repositories: "shop",
  number: 42,
  currency: "USD",
  gitBranch: "feature/cart",
  awake: true,
  title: "Offer two iced teas for the summer",
  sha: "61b78f6d4c0a2f9b8e7d6c5b4a39281706f5e4d3",
  commit: "61b78f6d4c0a2f9b8e7d6c5b4a39281706f5e4d3",
  headSha: "61b78f6d4c0a2f9b8e7d6c5b4a39281706f5e4d3",
  url: "https://pr-42-shop.preview.acme.dev",
  stack: "shop-pr-42",
  condition: "Ready",
  stage: "Active",
  reason: "Healthy",
  message: "Serving.",
  name: "ci",
  role: "operator",
  service: "web",
  text: "listening on 3000",
  line: "listening on 3000",
  target: "local",
  author: "ada",
  actor: "@ada",
  action: "redeploy",
  verb: "redeploy",
  ref: "next",
  path: "/checkout",
  for: "24h",
  time: "48h",
  expires: "90d",
  id: 7,
};
