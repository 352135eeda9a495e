/** What YAML in a page is, and whether those who read such a file would take it. */
import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseAllDocuments, stringify } from "yaml";
import { readSettings } from "../../../infra/platform/settings.ts";
import { parseApplication } from "../../../service/config/application.ts";
import { applicationSchema } from "../../../service/config/application-schema.ts";
import { defaultLimits } from "../../../service/config/defaults.ts";
import { parseOperator } from "../../../service/config/operator.ts";
import { operatorSchema } from "../../../service/config/operator-schema.ts";
import type { TargetConfig } from "../../../service/config/types.ts";
import { type Finding, faultOf, judged } from "./finding.ts";
import { root } from "./pages.ts";

type Value = Readonly<Record<string, unknown>>;

/** The first of these that knows the block's keys judges it. */
export async function checkYaml(text: string): Promise<Finding> {
  const documents = parseAllDocuments(withoutPlaceholders(text));
  const faults = documents.flatMap(({ errors }) => errors.map(({ message }) => message));
  if (faults.length > 0) return { fault: faults.join("\n") };
  const [value] = documents.map((document) => document.toJS() as unknown);
  if (!isMap(value)) return { onlyParsed: "yaml" };
  if (text.startsWith("# Pulumi.")) return settings(value);
  if ("apiVersion" in value && "kind" in value) return all(documents.map((one) => manifest(one.toJS() as Value)));
  if ("on" in value && "jobs" in value) return workflow(text);
  if ("steps" in value && "permissions" in value)
    return workflow(stringify({ on: "push", jobs: { fragment: { "runs-on": "ubuntu-latest", ...value } } }));
  if (documents.length > 1) return { onlyParsed: "yaml" };
  // The one block that shows an option of a driver by itself.
  if (Object.keys(value).join() === "reach") return judged(() => asOperator(clusterWith(value)));
  return configuration(value);
}

/** Fragments are completed to a file: with a forge, a repository, a service, where they name none. */
async function configuration(value: Value): Promise<Finding> {
  const keys = Object.keys(value);
  const operator = keys.every((key) => key in operatorSchema.shape);
  const application = keys.every((key) => key in applicationSchema.shape);
  if (!operator && !application) return { onlyParsed: keys[0] ?? "yaml" };
  const faults: string[] = [];
  if (application) {
    const found = await faultOf(() => asApplication({ services: { web: "npm start", api: "node api.js" }, ...value }));
    if (found === undefined) return {};
    faults.push(found);
  }
  if (operator) {
    const found = await anyOf(
      [value, { ...LOCAL, ...value }, { ...TEAM, ...value }, { ...CLUSTER, ...value }],
      asOperator,
    );
    if (found === undefined) return {};
    faults.push(found);
  }
  return { fault: faults.join("\n") };
}

const LOCAL = { repositories: [{ path: "../shop" }] };
const TEAM = {
  url: "https://preview.acme.dev",
  access: "private",
  forges: { github: { token: { env: "GITHUB_TOKEN" }, webhookSecrets: [{ env: "GITHUB_WEBHOOK_SECRET" }] } },
  repositories: [{ path: "acme/shop" }, { path: "acme/till" }],
};
const CLUSTER = clusterWith({ kubeconfig: "inCluster" });

/** A target in a cluster, with these options of what runs the services. */
function clusterWith(options: Value): Value {
  const network = { egress: [{ to: { cidr: "10.0.3.0/24" }, ports: [5432] }] };
  const service = { driver: "kubernetes", kubeconfig: { file: "kubeconfig" }, network, ...options };
  const database = { driver: "clone", server: { env: "PREVIEWS_ADMIN_URL" } };
  return { ...TEAM, targets: { cluster: { service, database } } };
}

function asApplication(value: Value): unknown {
  return parseApplication(stringify(value), { file: "preview.yaml", limits: defaultLimits });
}

async function asOperator(value: Value): Promise<void> {
  const place = { file: "stackling.yaml", directory: join(root, "test/docs/support"), dataDir: "/data/stackling" };
  const { targets } = await parseOperator(stringify(value), place);
  const shut = targets.find((target) => target.service.driver === "kubernetes" && target.database && !letsOut(target));
  if (shut) throw new Error(`targets.${shut.name}: its database lies outside, and network.egress lets nobody there`);
}

function letsOut({ service }: TargetConfig): boolean {
  const { network } = service.options;
  return isMap(network) && Array.isArray(network.egress) && network.egress.length > 0;
}

async function anyOf(values: readonly Value[], parse: (value: Value) => Promise<unknown>): Promise<string | undefined> {
  let last: string | undefined;
  for (const value of values) {
    last = await faultOf(() => parse(value));
    if (last === undefined) return undefined;
  }
  return last;
}

/** What stands for something that only the reader or the platform program has. */
function withoutPlaceholders(text: string): string {
  return text
    .replaceAll("${platform.namespaceId}", "ns-abcdefghijklmnop")
    .replaceAll("${platform.namespaceName}", "previews.internal")
    .replaceAll("${platform.securityGroup}", "sg-0123456789abcdef0")
    .replaceAll(/\$\{platform\.(\w+)\}/g, "$1")
    .replaceAll(/\{secure: [^}]+\}/g, '"value"');
}

function settings({ config }: Value): Promise<Finding> {
  return judged(() => readSettings((config as Value)["stackling-platform:settings"]));
}

/** By the schemas that Kubernetes publishes; a kind that is no part of it is only parsed. */
async function manifest(value: Value): Promise<Finding> {
  const [group = "", version] = String(value.apiVersion).includes("/")
    ? String(value.apiVersion).split("/")
    : ["", String(value.apiVersion)];
  const folder = join(root, "docs/node_modules/kubernetes-models", group.replace(/^$/, "."), String(version));
  const module = await import(pathToFileURL(join(folder, `${value.kind}.js`)).href).catch(() => undefined);
  if (!module) return { onlyParsed: `${value.apiVersion} ${value.kind}` };
  const Model = module[String(value.kind)] as new (value: Value) => { validate(): void };
  return judged(() => new Model(value).validate());
}

/** By the parser that GitHub itself reads workflows with. */
async function workflow(text: string): Promise<Finding> {
  // It was made for bundlers, which take JSON without being told.
  const hooks = registerHooks({
    load: (url, context, next) =>
      next(url, url.endsWith(".json") ? { ...context, importAttributes: { type: "json" } } : context),
  });
  try {
    const folder = join(root, "docs/node_modules/@actions/workflow-parser/dist");
    const { parseWorkflow, NoOperationTraceWriter } = (await import(
      pathToFileURL(join(folder, "index.js")).href
    )) as WorkflowParser;
    const file = { name: "workflow.yml", content: text };
    const { context } = parseWorkflow(file, new NoOperationTraceWriter());
    const faults = context.errors.getErrors().map(({ message }) => message);
    return faults.length > 0 ? { fault: faults.join("\n") } : {};
  } finally {
    hooks.deregister();
  }
}

/** The part of @actions/workflow-parser that is used. */
interface WorkflowParser {
  readonly NoOperationTraceWriter: new () => unknown;
  parseWorkflow(
    file: { readonly name: string; readonly content: string },
    trace: unknown,
  ): { readonly context: { readonly errors: { getErrors(): readonly { readonly message: string }[] } } };
}

async function all(findings: readonly Promise<Finding>[]): Promise<Finding> {
  const found = await Promise.all(findings);
  return (
    found.find(({ fault }) => fault !== undefined) ?? found.find(({ onlyParsed }) => onlyParsed !== undefined) ?? {}
  );
}

function isMap(value: unknown): value is Value {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
