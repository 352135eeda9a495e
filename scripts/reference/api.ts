/** The reference of the API, from its OpenAPI document. */
import { documentOf } from "../../service/api/openapi.ts";
import { type RoutesDeps, routesOf } from "../../service/api/routes.ts";
import { capital, code, fenced, type JsonSchema, tableOf, typeOf, wordOf } from "./markdown.ts";
import { sampleOf } from "./sample.ts";

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
}

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content & { readonly description: string }>>;
}

export interface Document {
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

/** Every call of the API, as its table has it; none of them can be made. */
export const routes = routesOf({ baselines: {}, costs: {} } as unknown as RoutesDeps);

/** As `/api/v1/openapi.json` answers it. */
export function openApi(): Document {
  return documentOf(routes, "__Host-stackling") as unknown as Document;
}

/** Calls by their part, then what several of them answer. */
export function apiReference(): string {
  const document = openApi();
  const calls = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  return [
    ...document.tags.flatMap(({ name, description }) => [
      `## ${name}`,
      description,
      ...calls.filter(({ operation }) => operation.tags.includes(name)).flatMap((call) => callOf(document, call)),
    ]),
    "## Shapes",
    ...Object.entries(document.components.schemas).flatMap(([name, schema]) => [
      `### ${name}`,
      ...(schema.description ? [schema.description] : []),
      fieldsOf(schema),
      fenced("json", printed(sampleOf(schema, document.components.schemas))),
    ]),
  ].join("\n\n");
}

interface Call {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}

function callOf(document: Document, { path, method, operation }: Call): readonly string[] {
  const { summary, description, parameters = [], requestBody, responses } = operation;
  const [status = "", answer] = Object.entries(responses).find(([name]) => name !== "default") ?? [];
  const [type = "", { schema: answered } = { schema: {} }] = Object.entries(answer?.content ?? {})[0] ?? [];
  const body = schemaOf(requestBody);
  const shape = typeOf(answered, linkTo);
  const named = answered.$ref !== undefined || answered.type !== "object";
  return [
    `### ${method} ${path}`,
    `${summary}. ${description}`,
    ...(parameters.length > 0 ? [parametersOf(parameters)] : []),
    ...(body ? ["Body:", fieldsOf(body)] : []),
    `Answers ${status}${type === "application/json" ? "" : `, as \`${type}\``}: ${answer?.description ?? ""}${named ? ` (${shape})` : ""}`,
    ...(named ? [] : [fieldsOf(answered)]),
    fenced("sh", curlOf({ path, method, operation }, body && sampleOf(body, document.components.schemas))),
    ...(type === "application/json" && answered.$ref === undefined
      ? [fenced("json", printed(sampleOf(answered, document.components.schemas)))]
      : []),
  ];
}

function schemaOf(body: Content | undefined): JsonSchema | undefined {
  return body?.content?.["application/json"]?.schema;
}

function parametersOf(parameters: readonly Parameter[]): string {
  const rows = parameters.map(({ name, in: place, required, description, schema }) => {
    const standard = schema.default === undefined ? "" : ` Default: ${code(String(schema.default))}.`;
    const kind = `*${capital(typeOf(schema))}, in the ${place}${required ? ", needed" : ""}.*`;
    return [code(name), [description, standard.trim(), kind].filter(Boolean).join(" ")];
  });
  return tableOf(["parameter", "meaning"], rows);
}

/** Fields of a body or answer, those of maps within behind a dot; named shapes are led to. */
function fieldsOf(schema: JsonSchema): string {
  const byPath = Map.groupBy(fieldsIn(schema, ""), ({ path }) => path);
  if (byPath.size === 0) return `${typeOf(schema, linkTo)}.`;
  return tableOf(["field", "meaning"], [...byPath.values()].map(rowOf));
}

interface Field {
  readonly path: string;
  readonly schema: JsonSchema;
  readonly isOptional: boolean;
  /** Of alternatives: the word by which one knows the one that has it. */
  readonly of?: string | undefined;
}

/** Depth first. */
function fieldsIn(schema: JsonSchema, above: string): readonly Field[] {
  const choices = schema.anyOf ?? schema.oneOf ?? [schema];
  return choices.flatMap((choice): readonly Field[] => {
    const { properties = {}, required = [], items, additionalProperties: rest } = choice;
    const of = choices.length > 1 ? wordOf(choice) : undefined;
    return [
      ...Object.entries(properties).flatMap(([name, property]) => {
        const path = above ? `${above}.${name}` : name;
        const isOptional = !required.includes(name);
        return [{ path, schema: property, isOptional, of }, ...fieldsIn(property, path)];
      }),
      ...(items ? fieldsIn(items, `${above}[]`) : []),
      ...(typeof rest === "object" ? fieldsIn(rest, above ? `${above}.NAME` : "NAME") : []),
    ];
  });
}

/** The same field of several alternatives is one row, with what it is in each. */
function rowOf(same: readonly Field[]): readonly string[] {
  const said = same.map(({ schema: { description = "" }, of }) =>
    of === undefined || description === "" ? description : `With ${of}: ${description}`,
  );
  const kind = capital(typeOf({ anyOf: same.map(({ schema }) => schema) }, linkTo));
  const may = same.every(({ isOptional }) => isOptional) ? ", may be absent" : "";
  return [code(same[0]?.path ?? ""), [...new Set(said.filter(Boolean)), `*${kind}${may}.*`].join(" ")];
}

/** `#/components/schemas/Preview` as a link to its heading. */
function linkTo(reference: string): string {
  const name = reference.slice(reference.lastIndexOf("/") + 1);
  return `[${name}](#${name.toLowerCase()})`;
}

function curlOf({ path, method, operation }: Call, body: unknown): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(IN_PATHS[name] ?? "1"));
  const needed = (operation.parameters ?? []).filter((one) => one.in === "query" && one.required);
  const query = new URLSearchParams(
    needed.map(({ name, schema }): [string, string] => [name, String(sampleOf(schema, {}))]),
  ).toString();
  const url = `"$STACKLING_URL/api/v1${filled}${query ? `?${query}` : ""}"`;
  return [
    `curl ${method === "GET" ? "" : `-X ${method} `}-H "Authorization: Bearer $STACKLING_TOKEN"`,
    ...(body === undefined ? [] : [`-H "Content-Type: application/json" -d '${JSON.stringify(body)}'`]),
    url,
  ].join(" \\\n  ");
}

const IN_PATHS: Readonly<Record<string, string>> = { key: "shop#42", name: "main", id: "7" };

function printed(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
