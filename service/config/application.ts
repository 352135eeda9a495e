import { ConfigError } from "../../components/errors.ts";
import type { BuildStep, ServiceDefinition, ServiceKind, SidecarDefinition } from "../../components/ports.ts";
import { applicationAccessOf } from "./access-schema.ts";
import { checkApplication } from "./application-checks.ts";
import {
  type ApplicationFile,
  applicationSchema,
  type ServiceFile,
  type SidecarFile,
  type StepFile,
  type StepsFile,
} from "./application-schema.ts";
import type { ApplicationConfig } from "./application-types.ts";
import { checkChecks, toChecks } from "./checks.ts";
import {
  checkExternal,
  type ExternalFile,
  emulatorServices,
  externalVariables,
  secretsToGrant,
  toExternal,
} from "./external.ts";
import { toFlags } from "./flags.ts";
import { type Linked, linkServices, type Others } from "./linked.ts";
import { toLogin } from "./login.ts";
import { checkScenarios, toScenarios } from "./scenarios.ts";
import type { OperatorConfig } from "./types.ts";
import { byLine, readYamlFile } from "./yaml-file.ts";

export type ApplicationLimits = Pick<OperatorConfig["limits"], "memoryMiB" | "cpu" | "services" | "checks">;

export interface ApplicationAround {
  readonly file: string;
  readonly limits: ApplicationLimits;
  /** Entries in place of the file's own, whole: of a stage. */
  readonly external?: ExternalFile | undefined;
  /** Repositories that services come from; undefined: nobody has read them. */
  readonly others?: Others | undefined;
}

/**
 * Reads `preview.yaml`. Limits are those of one whole preview: what its services ask for together.
 * Throws `ConfigError` with every problem in the text at once; `file` names it in the messages.
 */
export function parseApplication(
  text: string,
  { file, limits, external, others }: ApplicationAround,
): ApplicationConfig {
  const yaml = readYamlFile(text, applicationSchema);
  if (yaml.value === undefined) throw new ConfigError(file, yaml.problems);
  const typed = external ? { ...yaml.value, external: { ...yaml.value.external, ...external } } : yaml.value;
  const linked = linkServices(typed, others);
  const application = toApplication(typed, linked);
  const { database } = typed;
  const misfits = [
    ...linked.misfits,
    ...checkApplication(application, limits),
    ...checkExternal(typed),
    ...checkChecks(application, limits),
    ...(typeof database === "object" ? checkScenarios(database, application.services) : []),
  ];
  const problems = misfits.map(({ path, message }) => yaml.problemAt(path, message));
  if (problems.length > 0) throw new ConfigError(file, byLine(problems));
  return application;
}

/** Names of other repositories that services come from, by their names here; none where the text is no `preview.yaml`. */
export function repositoriesNamed(text: string): Readonly<Record<string, string>> {
  return readYamlFile(text, applicationSchema).value?.repositories ?? {};
}

function toApplication(file: ApplicationFile, linked: Linked): ApplicationConfig {
  const hasDatabase = file.database !== undefined && file.database !== false;
  const shared = { ...(hasDatabase ? { DATABASE_URL: "${database.url}" } : {}), ...texts(file.env) };
  const own = Object.entries(file.services).map(
    ([name, typed]) =>
      linked.services.get(name) ?? toService(name, typed, { ...externalVariables(file.external, name), ...shared }),
  );
  const services = [...own, ...emulatorServices(file.external)];
  const external = file.external && toExternal(file.external);
  const checks = toChecks(file);
  const secrets = Object.entries(file.secrets ?? {});
  const tasks = typeof file.database === "object" ? file.database : {};
  const seed = tasks.seed === undefined ? undefined : toStep(tasks.seed);
  return {
    main: file.main ?? services.find((service) => service.kind === "web")?.name ?? "",
    install: toSteps(file.install),
    build: toSteps(file.build),
    services,
    ...(hasDatabase
      ? {
          database: {
            ...(tasks.from !== undefined ? { from: tasks.from } : {}),
            ...(tasks.onPush === "reset" ? { onPush: tasks.onPush } : {}),
            ...(tasks.migrate !== undefined ? { migrate: toStep(tasks.migrate) } : {}),
            ...(seed ? { seed } : {}),
            ...(tasks.scenario !== undefined ? { scenario: tasks.scenario } : {}),
            ...(tasks.scenarios ? { scenarios: toScenarios(tasks.scenarios, { seed, toStep }) } : {}),
          },
        }
      : {}),
    ...(file.access ? { access: applicationAccessOf(file.access) } : {}),
    ...(file.banner === undefined ? {} : { banner: file.banner }),
    generatedSecrets: [
      ...new Set([
        ...secrets.filter(([, source]) => source === "generated").map(([name]) => name),
        ...linked.secrets.filter((name) => !Object.hasOwn(file.secrets ?? {}, name)),
      ]),
    ],
    grantedSecrets: secretsToGrant(
      secrets.filter(([, source]) => source === "granted").map(([name]) => name),
      external ?? [],
      services,
    ),
    ...(external ? { external } : {}),
    ...(file.flags ? { flags: toFlags(file.flags) } : {}),
    ...(file.login ? { login: toLogin(file.login) } : {}),
    ...(checks ? { checks } : {}),
    ...(file.repositories ? { repositories: file.repositories } : {}),
    submodules: file.submodules ?? false,
    lfs: file.lfs ?? false,
  };
}

function toService(
  name: string,
  typed: string | ServiceFile,
  shared: Readonly<Record<string, string>>,
): ServiceDefinition {
  const service: ServiceFile = typeof typed === "string" ? { command: typed } : typed;
  const kind: ServiceKind = service.kind ?? (service.schedule === undefined ? "web" : "cron");
  return {
    name,
    kind,
    ...(service.command !== undefined ? { command: service.command } : {}),
    ...(service.image !== undefined ? { image: service.image } : {}),
    directory: service.directory ?? ".",
    ...(service.port !== undefined ? { port: service.port } : {}),
    ...(service.health !== undefined ? { healthPath: service.health } : {}),
    startTimeoutSeconds: service.startTimeoutSeconds ?? 60,
    ...(service.schedule !== undefined ? { schedule: service.schedule } : {}),
    environment: { ...shared, ...texts(service.env) },
    dependsOn: service.dependsOn ?? [],
    sidecars: Object.entries(service.sidecars ?? {}).map(toSidecar),
    ...(service.readOnlyRoot !== undefined ? { readOnlyRoot: service.readOnlyRoot } : {}),
    memoryMiB: service.memoryMiB ?? 512,
    cpu: service.cpu ?? 0.5,
  };
}

function toSidecar([name, typed]: readonly [string, string | SidecarFile]): SidecarDefinition {
  return { name, ...(typeof typed === "string" ? { command: typed } : typed) };
}

function toSteps(typed: StepsFile | undefined): readonly BuildStep[] {
  if (typed === undefined) return [];
  return Array.isArray(typed) ? typed.map(toStep) : [toStep(typed)];
}

function toStep(typed: StepFile): BuildStep {
  return typeof typed === "string"
    ? { command: typed, directory: "." }
    : { command: typed.command, directory: typed.directory ?? "." };
}

function texts(values: ApplicationFile["env"]): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, String(value)]));
}
