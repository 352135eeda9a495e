/** What a schema cannot say about `preview.yaml`: how its parts fit each other and the operator's limits. */
import type { BuildStep, ServiceDefinition } from "../../components/ports.ts";
import { imageFault, isOfCommit, withoutTag } from "../images/reference.ts";
import type { ApplicationLimits } from "./application.ts";
import type { ApplicationConfig } from "./application-types.ts";
import { closest } from "./closest.ts";
import { scheduleFault } from "./cron.ts";
import { checkFlags } from "./flags.ts";
import { secretsOfPart } from "./own-parts.ts";
import type { Misfit } from "./yaml-file.ts";

/** Variables that Stackling sets itself. */
const RESERVED = /^(PORT|HOME|TMPDIR|STACKLING_.*)$/;
const REFERENCE = /\$\{([^}]*)\}?/g;

/** Every misfit, with the path in the file of what is at fault; pure. */
export function checkApplication(application: ApplicationConfig, limits: ApplicationLimits): readonly Misfit[] {
  return [
    ...application.services.flatMap((service) => checkService(service, application)),
    ...checkMain(application),
    ...checkDependencies(application.services),
    ...checkNames(application.services),
    ...checkSteps(application),
    ...checkFlags(application.flags ?? {}, application.services),
    ...checkLimits(application, limits),
  ];
}

function checkService(service: ServiceDefinition, application: ApplicationConfig): readonly Misfit[] {
  const at = (key: string, message: string): Misfit => ({ path: ["services", service.name, key], message });
  const where = `service "${service.name}"`;
  const misfits: Misfit[] = [];
  if (service.command === undefined && service.image === undefined && service.source === undefined) {
    misfits.push(at("command", `${where} needs a "command" that starts it`));
  }
  if (service.kind === "cron" && service.schedule === undefined) {
    misfits.push(at("kind", `${where} is of kind "cron" and needs a "schedule", such as "*/15 * * * *"`));
  }
  if (service.schedule !== undefined) {
    const fault = service.kind === "cron" ? scheduleFault(service.schedule) : `only goes with kind "cron"`;
    if (fault) misfits.push(at("schedule", `${where}: schedule "${service.schedule}" ${fault}`));
  }
  if (service.healthPath !== undefined) {
    if (service.kind !== "web") misfits.push(at("health", `${where}: "health" only goes with kind "web"`));
    if (/[\s#\\]/.test(service.healthPath)) {
      misfits.push(at("health", `${where}: health path "${service.healthPath}" must hold no space, # or \\`));
    }
  }
  const folder = directoryFault(service.directory);
  if (folder) misfits.push(at("directory", `${where}: directory "${service.directory}" ${folder}`));
  return [...misfits, ...checkImages(service), ...checkEnvironment(service, application)];
}

function checkImages(service: ServiceDefinition): readonly Misfit[] {
  const where = `service "${service.name}"`;
  const path = ["services", service.name];
  const own = service.image === undefined ? undefined : (imageFault(service.image) ?? commitFault(service.image));
  const misfits = own ? [{ path: [...path, "image"], message: `${where}: image "${service.image}" ${own}` }] : [];
  const sidecars = service.sidecars.flatMap(({ name, command, image }): Misfit[] => {
    const at = [...path, "sidecars", name];
    const what = `${where}: sidecar "${name}"`;
    if (command === undefined && image === undefined) {
      return [{ path: at, message: `${what} needs a "command" or an "image"` }];
    }
    const fault = image === undefined ? undefined : imageFault(image);
    return fault ? [{ path: [...at, "image"], message: `${what}: image "${image}" ${fault}` }] : [];
  });
  return [...misfits, ...sidecars];
}

/** What follows no commit would go on running when somebody pushes. */
function commitFault(image: string): string | undefined {
  if (isOfCommit(image)) return undefined;
  const name = withoutTag(image);
  return `is the same for every commit; write "${name}:{sha}", or its digest ("${name}@sha256:…") where this repository does not build it`;
}

function directoryFault(directory: string): string | undefined {
  if (directory.includes("\0")) return "holds a zero byte";
  if (directory.startsWith("/") || directory.startsWith("~") || directory.includes("\\")) {
    return "must be relative to the repository, with / between folders";
  }
  return directory.split("/").includes("..") ? 'leaves the repository ("..")' : undefined;
}

function checkEnvironment(service: ServiceDefinition, application: ApplicationConfig): readonly Misfit[] {
  return Object.entries(service.environment).flatMap(([name, value]) => {
    const at = (message: string): Misfit => ({
      path: ["services", service.name, "env", name],
      message: `service "${service.name}": ${name} ${message}`,
    });
    if (RESERVED.test(name)) return [at("is set by Stackling and cannot be chosen")];
    if (value.includes("\0")) return [at("holds a zero byte")];
    return [...value.matchAll(REFERENCE)].flatMap((match) => {
      const fault = referenceFault(match[0], match[1] ?? "", application);
      return fault ? [at(fault)] : [];
    });
  });
}

function referenceFault(text: string, inner: string, application: ApplicationConfig): string | undefined {
  if (!text.endsWith("}")) return `has "${text}" without a closing }`;
  const [root, name, property, ...more] = inner.split(".");
  if (inner === "database.url") {
    return application.database ? undefined : `refers to "${text}", but there is no "database"`;
  }
  // Of emulators, whose variables we wrote ourselves.
  if (root === "services" && property === "ports" && more.length === 1) {
    const ports = application.services.find((service) => service.name === name)?.ports ?? [];
    if (ports.includes(more[0] ?? "")) return undefined;
  }
  if (root === "services" && name && (property === "url" || property === "address") && more.length === 0) {
    return serviceReferenceFault(text, name, application);
  }
  if (root === "secrets" && name && property === undefined) {
    const known = [...application.generatedSecrets, ...application.grantedSecrets];
    if (known.includes(name)) return undefined;
    // Of parts of its own, whose references we wrote ourselves.
    if (application.external?.some((one) => one.own && secretsOfPart(one.name, one.own).includes(name)))
      return undefined;
    const off = application.external?.find(({ secrets }) => Object.values(secrets).includes(name));
    if (off) return `refers to "${text}", but "external.${off.name}" is ${off.mode} and has no keys`;
    return `refers to "${text}", but "secrets" has no ${name}${meant(closest(name, known))}`;
  }
  return `has the unknown reference "${text}"; known: \${database.url}, \${services.NAME.url}, \${services.NAME.address}, \${secrets.NAME}`;
}

function serviceReferenceFault(text: string, name: string, application: ApplicationConfig): string | undefined {
  const target = application.services.find((service) => service.name === name);
  const names = application.services.map((service) => service.name);
  if (!target) return `refers to "${text}", but there is no service "${name}"${meant(closest(name, names))}`;
  return target.kind === "web"
    ? undefined
    : `refers to "${text}", but service "${name}" is a ${target.kind} and has no address`;
}

function checkMain(application: ApplicationConfig): readonly Misfit[] {
  const web = application.services.filter((service) => service.kind === "web").map((service) => service.name);
  if (web.length === 0)
    return [{ path: ["services"], message: 'no service is of kind "web", so there is nothing to link to' }];
  if (web.includes(application.main)) return [];
  const message = `"main" names "${application.main}", which is no service of kind "web"${meant(closest(application.main, web))}`;
  return [{ path: ["main"], message }];
}

function checkDependencies(services: readonly ServiceDefinition[]): readonly Misfit[] {
  const byName = new Map(services.map((service) => [service.name, service]));
  const misfits: Misfit[] = [];
  for (const service of services) {
    for (const [index, name] of service.dependsOn.entries()) {
      if (byName.has(name)) continue;
      const path = ["services", service.name, "dependsOn", index];
      const hint = meant(closest(name, byName.keys()));
      misfits.push({ path, message: `service "${service.name}" depends on "${name}", which is no service${hint}` });
    }
  }
  const cycle = findCycle(byName);
  if (cycle) {
    const path = ["services", cycle[0] ?? "", "dependsOn"];
    misfits.push({ path, message: `services depend on each other in a circle: ${cycle.join(" → ")}` });
  }
  return misfits;
}

function findCycle(byName: ReadonlyMap<string, ServiceDefinition>): readonly string[] | undefined {
  const finished = new Set<string>();
  const follow = (name: string, trail: readonly string[]): readonly string[] | undefined => {
    if (trail.includes(name)) return [...trail.slice(trail.indexOf(name)), name];
    if (finished.has(name)) return undefined;
    for (const next of byName.get(name)?.dependsOn ?? []) {
      const cycle = follow(next, [...trail, name]);
      if (cycle) return cycle;
    }
    finished.add(name);
    return undefined;
  };
  for (const name of byName.keys()) {
    const cycle = follow(name, []);
    if (cycle) return cycle;
  }
  return undefined;
}

/** Logs and processes are filed under these names, so a sidecar must not bear another's. */
function checkNames(services: readonly ServiceDefinition[]): readonly Misfit[] {
  const taken = new Set(services.map((service) => service.name));
  return services.flatMap((service) =>
    service.sidecars.flatMap((sidecar) => {
      if (!taken.has(sidecar.name)) {
        taken.add(sidecar.name);
        return [];
      }
      const path = ["services", service.name, "sidecars", sidecar.name];
      return [{ path, message: `sidecar "${sidecar.name}" of service "${service.name}" bears a name that is taken` }];
    }),
  );
}

function checkSteps(application: ApplicationConfig): readonly Misfit[] {
  const one = (path: readonly (string | number)[], step: BuildStep | undefined): readonly Misfit[] => {
    const fault = step && directoryFault(step.directory);
    return fault ? [{ path, message: `"${path.join(".")}": directory "${step.directory}" ${fault}` }] : [];
  };
  return [
    ...application.install.flatMap((step, index) => one(["install", index], step)),
    ...application.build.flatMap((step, index) => one(["build", index], step)),
    ...one(["database", "migrate"], application.database?.migrate),
    ...one(["database", "seed"], application.database?.seed),
    ...Object.entries(application.database?.scenarios ?? {}).flatMap(([name, step]) =>
      one(["database", "scenarios", name], step ?? undefined),
    ),
  ];
}

function checkLimits({ services }: ApplicationConfig, limits: ApplicationLimits): readonly Misfit[] {
  const memoryMiB = services.reduce((sum, service) => sum + service.memoryMiB, 0);
  const cpu = services.reduce((sum, service) => sum + service.cpu, 0);
  const over = (asked: number, allowed: number, what: string): readonly Misfit[] =>
    asked > allowed
      ? [{ path: ["services"], message: `asks for ${asked} ${what}; the operator allows ${allowed}` }]
      : [];
  return [
    ...over(services.length, limits.services, "services"),
    ...over(memoryMiB, limits.memoryMiB, "MiB of memory (the sum of its services)"),
    ...over(Number(cpu.toFixed(3)), limits.cpu, "CPU (the sum of its services)"),
  ];
}

function meant(hint: string | undefined): string {
  return hint ? `; did you mean "${hint}"?` : "";
}
