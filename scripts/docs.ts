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
import { PARTS } from "../service/comment/comment.ts";
import { VOCABULARY } from "../service/comment/vocabulary.ts";
import { forges } from "../service/forges/registry.ts";
import { apiReference, routes } from "./reference/api.ts";
import { cliReference, commonOptions } from "./reference/cli.ts";
import { configReference } from "./reference/config.ts";
import { fenced, type JsonSchema, tableOf } from "./reference/markdown.ts";
import { metricsReference } from "./reference/metrics.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const MARK = /<!-- made by scripts\/docs\.ts: ([a-z0-9 .-]+) -->\n[\s\S]*?<!-- end -->/g;

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

/** Parts by their names. */
const makers: Readonly<Record<string, () => string>> = {
  "aws-policy": () => fenced("json", JSON.stringify(examplePolicy(), null, 2)),
  "kubernetes-role": () => fenced("yaml", stringify(exampleRole(), { aliasDuplicateObjects: false })),
  "platform-settings": () => optionsTable(platformSettings),
  api: apiTable,
  "api reference": apiReference,
  "comment words": wordsTable,
  "comment parts": partsTable,
  cli: cliReference,
  "cli options": commonOptions,
};

/** Parts that are of something, by the first word of their names. */
const makersOf: Readonly<Record<string, (of: string) => string | Promise<string>>> = {
  metrics: metricsReference,
  config: configReference,
  options: driverOptions,
};

async function make(name: string): Promise<string> {
  const [kind = "", ...of] = name.split(" ");
  const maker = makers[name] ?? (() => makersOf[kind]?.(of.join(" ")));
  const made = await maker();
  if (made === undefined) throw new Error(`making the part "${name}" of the documentation: nothing makes it`);
  return made;
}

type Loads = Readonly<Record<string, () => Promise<{ readonly options: z.ZodType }>>>;

/** Of a driver, as `service ecs`, or of a forge, as `forge gitea`. */
async function driverOptions(name: string): Promise<string> {
  const [port = "", driver = ""] = name.split(" ");
  const loads: Readonly<Record<string, Loads>> = { ...registry, forge: forges };
  const load = loads[port]?.[driver];
  if (!load) throw new Error(`making the options of "${name}": there is no such driver`);
  return optionsTable((await load()).options);
}

const NEEDED = { look: "viewer", operate: "operator", administer: "admin" } as const;

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

/** One row a key, those of a map below it behind a dot. */
function optionsTable(options: z.ZodType): string {
  const schema = z.toJSONSchema(options, { io: "input", unrepresentable: "any" }) as unknown as JsonSchema;
  const rows = rowsOf(schema, "");
  if (rows.length === 0) return "It has no options.";
  return tableOf(["option", "meaning", "default"], rows);
}

function rowsOf({ properties = {}, required = [] }: JsonSchema, above: string): string[][] {
  return Object.entries(properties).flatMap(([name, property]) => {
    const path = `${above}${name}`;
    const { description = "", properties: inner } = property;
    const standard =
      property.default !== undefined && !inner
        ? `\`${JSON.stringify(property.default)}\``
        : required.includes(name)
          ? "needed"
          : "";
    const choices = property.enum && !description ? property.enum.map((one) => `\`${String(one)}\``).join(", ") : "";
    const row = [`\`${path}\``, description || choices, standard];
    return [row, ...(inner ? rowsOf(property, `${path}.`) : [])];
  });
}

/** What a template of the comment can name. */
function wordsTable(): string {
  const rows = Object.entries(VOCABULARY).map(([name, { says, holds = [], list }]) => {
    const parts = name === "markdown" ? "the parts below" : holds.map((part) => `\`${part}\``).join(", ");
    return [`\`${name}\``, says, list ? `list${parts ? ` of ${parts}` : ""}` : parts];
  });
  return tableOf(["name", "what it is", "holds"], rows);
}

function partsTable(): string {
  const rows = Object.entries(PARTS).map(([name, says]) => [`\`markdown.${name}\``, says]);
  return tableOf(["name", "what it is"], rows);
}

/** Calls of the API, from the table that makes them; nothing of theirs is called here. */
function apiTable(): string {
  const rows = routes.map(({ method, path, may, where, summary }) => [
    `\`${method.toUpperCase()} ${path.replace(/:(\w+)/g, (_all, name: string) => name.toUpperCase())}\``,
    `${NEEDED[may]}${where === "everything" ? ", of all" : ""}`,
    summary,
  ]);
  return tableOf(["call", "least role", "does"], rows);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const file of globSync("docs/**/*.md", { cwd: root, exclude: ["**/node_modules"] })) {
    const path = join(root, file);
    const text = readFileSync(path, "utf8");
    const made = await withMadeParts(text);
    if (made === text) continue;
    writeFileSync(path, made);
    console.log(`${file} is written anew`);
  }
}
