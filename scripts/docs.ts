/**
 * The parts of `docs/` that follow from the code: `node scripts/docs.ts` writes them anew between their
 * marks, and a test fails while they differ.
 */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { z } from "zod";
import { stacklingPolicy } from "../components/aws/policy.ts";
import { permissions } from "../components/kubernetes/permissions.ts";
import { registry } from "../components/registry.ts";
import { platformSettings } from "../infra/platform/settings.ts";
import { type RoutesDeps, routesOf } from "../service/api/routes.ts";
import { PARTS } from "../service/comment/comment.ts";
import { VOCABULARY } from "../service/comment/vocabulary.ts";
import { forges } from "../service/forges/registry.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const MARK = /<!-- made by scripts\/docs\.ts: ([a-z0-9 -]+) -->\n[\s\S]*?<!-- end -->/g;

/** The text with every marked part as the code has it. Throws for a mark that nothing is known of. */
export async function withMadeParts(text: string): Promise<string> {
  const made = new Map<string, string>();
  for (const [, name = ""] of text.matchAll(MARK)) made.set(name, await make(name));
  return text.replace(
    MARK,
    (_whole, name: string) => `<!-- made by scripts/docs.ts: ${name} -->\n${made.get(name)}\n<!-- end -->`,
  );
}

/** Names of the drivers that a target can be put together from, as the docs name their parts. */
export const drivers: readonly string[] = Object.entries(registry).flatMap(([port, byName]) =>
  Object.keys(byName).map((name) => `${port} ${name}`),
);

async function make(name: string): Promise<string> {
  if (name === "aws-policy") return fenced("json", JSON.stringify(examplePolicy(), null, 2));
  if (name === "kubernetes-role") return fenced("yaml", stringify(exampleRole(), { aliasDuplicateObjects: false }));
  if (name === "platform-settings") return table(z.toJSONSchema(platformSettings, JSON_OPTIONS));
  if (name === "api") return apiTable();
  if (name === "comment words") return wordsTable();
  if (name === "comment parts") return partsTable();
  const [, port = "", driver = ""] = /^options (\w+) (\w+)$/.exec(name) ?? [];
  const loads: Readonly<Record<string, Readonly<Record<string, () => Promise<{ options: z.ZodType }>>>>> = registry;
  const load = port === "forge" ? forgesByName[driver] : loads[port]?.[driver];
  if (!load) throw new Error(`making the part "${name}" of the documentation: there is no such driver`);
  return table(z.toJSONSchema((await load()).options, JSON_OPTIONS));
}

const forgesByName: Readonly<Record<string, () => Promise<{ options: z.ZodType }>>> = forges;

const NEEDED = { look: "viewer", operate: "operator", administer: "admin" } as const;
const JSON_OPTIONS = { io: "input", unrepresentable: "any" } as const;

/** For the account, cluster, zone and listener of an example. */
function examplePolicy() {
  return stacklingPolicy({
    accountId: "123456789012",
    region: "eu-central-1",
    cluster: "previews",
    hostedZoneId: "Z0123456789ABC",
    listenerArn:
      "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/previews/0123456789abcdef/0123456789abcdef",
  });
}

function exampleRole() {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "stackling" },
    rules: permissions,
  };
}

interface Schema {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema | boolean>>;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
}

/** One row a key, those of a map below it behind a dot. */
function table(schema: unknown): string {
  const rows = rowsOf(schema as Schema, "");
  if (rows.length === 0) return "It has no options.";
  return ["| option | meaning | default |", "|---|---|---|", ...rows].join("\n");
}

function rowsOf({ properties = {}, required = [] }: Schema, above: string): string[] {
  return Object.entries(properties).flatMap(([name, given]) => {
    const property: Schema = typeof given === "boolean" ? {} : given;
    const path = `${above}${name}`;
    const { description = "", properties: inner } = property;
    const standard =
      property.default !== undefined && !inner
        ? `\`${JSON.stringify(property.default)}\``
        : required.includes(name)
          ? "needed"
          : "";
    const choices = property.enum && !description ? property.enum.map((one) => `\`${String(one)}\``).join(", ") : "";
    const row = `| \`${path}\` | ${cell(description || choices)} | ${cell(standard)} |`;
    return [row, ...(inner ? rowsOf(property, `${path}.`) : [])];
  });
}

/** What a template of the comment can name. */
function wordsTable(): string {
  const rows = Object.entries(VOCABULARY).map(([name, { says, holds = [], list }]) => {
    const parts = name === "markdown" ? "the parts below" : holds.map((part) => `\`${part}\``).join(", ");
    return `| \`${name}\` | ${cell(says)} | ${list ? `list${parts ? ` of ${parts}` : ""}` : parts} |`;
  });
  return ["| name | what it is | holds |", "|---|---|---|", ...rows].join("\n");
}

function partsTable(): string {
  const rows = Object.entries(PARTS).map(([name, says]) => `| \`markdown.${name}\` | ${cell(says)} |`);
  return ["| name | what it is |", "|---|---|", ...rows].join("\n");
}

/** Calls of the API, from the table that makes them; nothing of theirs is called here. */
function apiTable(): string {
  const routes = routesOf({ baselines: {} } as unknown as RoutesDeps);
  const rows = routes.map(
    ({ method, path, may, where, summary }) =>
      `| \`${method.toUpperCase()} ${path.replace(/:(\w+)/g, (_all, name: string) => name.toUpperCase())}\` | ${NEEDED[may]}${where === "everything" ? ", of all" : ""} | ${summary} |`,
  );
  return ["| call | least role | does |", "|---|---|---|", ...rows].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const file of globSync("docs/*.md", { cwd: root })) {
    const path = join(root, file);
    const text = readFileSync(path, "utf8");
    const made = await withMadeParts(text);
    if (made === text) continue;
    writeFileSync(path, made);
    console.log(`${file} is written anew`);
  }
}
