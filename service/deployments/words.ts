/** What happens in a deployment, in words, and to which stage it belongs. Pure. */

import type { PreviewSpec } from "../../infra/spec.ts";
import type { RunEvent } from "../../infra/stacks.ts";
import type { Preview } from "../status.ts";
import type { DeployStage } from "./deployment.ts";

export const STAGE_TITLES: Readonly<Record<DeployStage, string>> = {
  queue: "Waiting for its turn",
  source: "Source",
  install: "Install",
  build: "Build",
  database: "Database",
  migrate: "Migrations",
  seed: "Seeds",
  services: "Services",
  links: "Links",
  checks: "Checks",
  removal: "Removal",
};

export interface EventWords {
  readonly text: string;
  readonly kind: "engine" | "problem";
  readonly stage?: DeployStage;
}

/** Where on this machine the engine found a plugin: its `workspace` package, "using %s from $PATH at %s". */
const PLUGIN_FOUND = /^using pulumi-[\w-]+ from \$PATH at /;

/** Undefined for what says nothing to people: what stays as it is, and what only groups others. */
export function eventWords({ kind, severity, message, ...event }: RunEvent): EventWords | undefined {
  if (kind === "diagnostic") {
    if (!message?.trim() || PLUGIN_FOUND.test(message)) return undefined;
    return { text: message, kind: severity === "error" ? "problem" : "engine" };
  }
  if (kind !== "resource") return undefined;
  const { type = "", operation = "", name, done = false, failed = false } = event;
  const verbs = VERBS[operation];
  if (!verbs || GROUP.test(type)) return undefined;
  const stage = operation.startsWith("delete") ? undefined : stageOf(type, name);
  const text = `${verbs[done && !failed ? 1 : 0]} ${thingOf(type, name)}${failed ? " failed" : ""}`;
  return { text, kind: failed ? "problem" : "engine", ...(stage ? { stage } : {}) };
}

/** Where what a program prints belongs; anything but these names is a service that starts. */
export function stageOfOutput(source: string): DeployStage {
  return source === "install" || source === "build" || source === "migrate" || source === "seed" ? source : "services";
}

/** Why an update is made, for people: what differs between what serves and what is to serve. */
export function causeOf({ status, intents }: Pick<Preview, "status" | "intents">, spec: PreviewSpec): string {
  const { live, attempted, drift } = status;
  const commit = spec.source.commit.slice(0, 7);
  const again = attempted && !attempted.ok ? `, after ${times(attempted.failures)} that failed` : "";
  if (!live) return `First version, of commit ${commit}${again}`;
  const raised = (name: keyof PreviewSpec["generations"]) => spec.generations[name] > live.generations[name];
  if (raised("database")) return `Its database is made anew${again}`;
  if (raised("seed")) return `Its database is seeded anew${again}`;
  if (raised("secrets")) return `Its credentials are changed${again}`;
  if (raised("deploy")) return `Redeploy of commit ${commit}${again}`;
  if (live.source.commit !== spec.source.commit) {
    const back = intents.rolledBack?.sha === spec.source.commit;
    return `${back ? `Rollback to commit ${commit}` : `New commit ${commit}`}${again}`;
  }
  const moved = Object.values(spec.sources ?? {}).find(
    ({ name, commit: sha }) =>
      !Object.values(live.sources ?? {}).some((one) => one.name === name && one.commit === sha),
  );
  if (moved) return `Commit ${moved.commit.slice(0, 7)} of ${moved.name}${again}`;
  if (JSON.stringify(live.flags) !== JSON.stringify(spec.flags)) return `A feature flag was set${again}`;
  if (again) return `Another try${again}`;
  if (drift && drift.differences.length > 0) return "What was changed by hand is put right";
  return "Its configuration changed";
}

function times(failures: number): string {
  return failures === 1 ? "one" : String(failures);
}

const VERBS: Readonly<Record<string, readonly [doing: string, done: string]>> = {
  create: ["Creating", "Created"],
  "create-replacement": ["Creating", "Created"],
  update: ["Updating", "Updated"],
  delete: ["Removing", "Removed"],
  "delete-replaced": ["Removing the former", "Removed the former"],
};

/** Components of our own, the stack, and vendors' providers. */
const GROUP = /^(stackling:(?!local:)|pulumi:)/;

const STAGE_OF: Readonly<Record<string, DeployStage>> = {
  "stackling:local:Checkout": "source",
  "stackling:local:Route": "links",
  "stackling:local:Service": "services",
};
const DATABASE = /(database|schema|branch|password|role)/i;
const SERVICES = /^(kubernetes:apps|aws:ecs|kubernetes:core\/v1:Service)/;
const LINKS = /(ingress|httproute|record|listenerrule)/i;

function stageOf(type: string, name = ""): DeployStage | undefined {
  if (type === "stackling:local:Task" || /:Job$/.test(type)) {
    return /seed/.test(name) ? "seed" : /migrat/.test(name) ? "migrate" : undefined;
  }
  const last = type.slice(type.lastIndexOf(":") + 1);
  if (STAGE_OF[type]) return STAGE_OF[type];
  if (SERVICES.test(type)) return "services";
  if (LINKS.test(last)) return "links";
  return DATABASE.test(last) && !/Changes$/.test(last) ? "database" : undefined;
}

/** `stackling:local:DatabaseAccess` as `database access` */
function thingOf(type: string, name: string | undefined): string {
  const last = type.slice(type.lastIndexOf(":") + 1);
  const words = last.replace(/(?<=[a-z0-9])(?=[A-Z])/g, " ").toLowerCase();
  return name && name !== words ? `${words} "${name}"` : words;
}
