/** A service's containers as a task definition holds them: ECS docs, "Task definition parameters for Fargate". Pure. */
import { TerminalError } from "../errors.ts";
import type { ServiceDefinition, SidecarDefinition } from "../ports.ts";
import type { EcsOptions } from "./ecs-options.ts";
import { DEFAULT_PORT } from "./names.ts";

/** A setting by name whose value lies in Secrets Manager. */
export interface SecretSetting {
  readonly name: string;
  readonly valueFrom: string;
}

export interface Settings {
  readonly plain: Readonly<Record<string, string>>;
  readonly secret: readonly SecretSetting[];
}

export interface ContainersInput {
  readonly options: Pick<EcsOptions, "region" | "healthImage" | "registryCredentials">;
  readonly logGroup: string;
  readonly settings: Settings;
  /** Text of the file with flag definitions, of services alone. */
  readonly flags?: string;
  /** Raised to release the same commit again. */
  readonly generation: number;
}

/** Ephemeral volume of a task in which the file with flag definitions lies, and where its containers find that. */
export const FLAGS_VOLUME = "flags";
const FLAGS_FOLDER = "/etc/stackling/flags";
export const FLAGS_PATH = `${FLAGS_FOLDER}/flags.json`;

/** One process: image, command and what it is called in the log. */
export interface ContainerDefinition {
  readonly name: string;
  readonly image: string;
  readonly command?: string;
  readonly directory: string;
  readonly port?: number;
  readonly readOnlyRoot?: boolean;
}

/** Port a service listens on; undefined for what does not listen. */
export function portOf({ kind, port }: Pick<ServiceDefinition, "kind" | "port">): number | undefined {
  return port ?? (kind === "web" ? DEFAULT_PORT : undefined);
}

/** The service, its sidecars and, where ECS itself must see its health, a small container that asks. */
export function serviceContainers(service: ServiceDefinition, input: ContainersInput, checked: boolean): object[] {
  const port = portOf(service);
  const main = {
    name: service.name,
    image: requireImage(service),
    directory: service.directory,
    ...(service.command !== undefined && { command: service.command }),
    ...(port !== undefined && { port }),
    ...(service.readOnlyRoot !== undefined && { readOnlyRoot: service.readOnlyRoot }),
  };
  const sidecars = service.sidecars.map((sidecar) =>
    container(sidecarOf(service, sidecar, main.image), service.name, input),
  );
  const health = checked && port !== undefined ? [healthContainer(service, port, input)] : [];
  return [container(main, service.name, input), ...sidecars, ...health, ...flagsContainer(service, input)];
}

/** Log streams are named `<stream>/<container>/<task>`. */
export function container(definition: ContainerDefinition, stream: string, input: ContainersInput): object {
  const { name, image, command, directory, port, readOnlyRoot } = definition;
  const credentials = credentialsFor(image, input.options);
  const plain = { ...input.settings.plain, ...(port !== undefined && { PORT: String(port) }) };
  return {
    name,
    image,
    essential: true,
    ...(command !== undefined && { entryPoint: ["sh", "-c"], command: [shellLine(command, directory)] }),
    ...(port !== undefined && { portMappings: [{ containerPort: port, hostPort: port, protocol: "tcp" }] }),
    environment: sorted(Object.entries(plain).map(([key, value]) => ({ name: key, value }))),
    secrets: sorted(input.settings.secret),
    ...(credentials !== undefined && { repositoryCredentials: { credentialsParameter: credentials } }),
    ...(readOnlyRoot && { readonlyRootFilesystem: true }),
    ...withFlags(stream, input),
    linuxParameters: { initProcessEnabled: true },
    dockerLabels: { "stackling.dev/generation": String(input.generation) },
    logConfiguration: logConfiguration(stream, input),
  };
}

/** The image of a service or task. Throws `TerminalError` (`SpecInvalid`) with the line to write. */
export function requireImage({ name, image }: { readonly name: string; readonly image?: string }): string {
  if (image !== undefined) return image;
  throw new TerminalError({
    reason: "SpecInvalid",
    userMessage: `starting "${name}": this target runs images; give it a line like "image: registry/name:{sha}"`,
  });
}

function sidecarOf({ directory }: ServiceDefinition, sidecar: SidecarDefinition, image: string): ContainerDefinition {
  return {
    name: sidecar.name,
    image: sidecar.image ?? image,
    directory: sidecar.image === undefined ? directory : ".",
    ...(sidecar.command !== undefined && { command: sidecar.command }),
    ...(sidecar.port !== undefined && { port: sidecar.port }),
  };
}

/** Begins when the file is written. */
function withFlags(service: string, { flags }: ContainersInput): object {
  if (flags === undefined) return {};
  return {
    mountPoints: [{ sourceVolume: FLAGS_VOLUME, containerPath: FLAGS_FOLDER, readOnly: true }],
    dependsOn: [{ containerName: flagsName(service), condition: "SUCCESS" }],
  };
}

/** Fargate mounts no files of ours, so a container writes it before the others begin. */
function flagsContainer({ name }: ServiceDefinition, input: ContainersInput): object[] {
  if (input.flags === undefined) return [];
  return [
    {
      name: flagsName(name),
      image: input.options.healthImage,
      essential: false,
      entryPoint: ["sh", "-c"],
      command: [`printf %s "$FLAGS" > ${FLAGS_PATH}`],
      environment: [{ name: "FLAGS", value: input.flags }],
      secrets: [],
      mountPoints: [{ sourceVolume: FLAGS_VOLUME, containerPath: FLAGS_FOLDER, readOnly: false }],
      logConfiguration: logConfiguration(name, input),
    },
  ];
}

function flagsName(service: string): string {
  return `${service}-flags`;
}

/** Essential, because ECS takes the health of a task from its essential containers only. */
function healthContainer(
  { name, healthPath, startTimeoutSeconds }: ServiceDefinition,
  port: number,
  input: ContainersInput,
) {
  return {
    name: `${name}-health`,
    image: input.options.healthImage,
    essential: true,
    entryPoint: ["sh", "-c"],
    command: ["trap 'exit 0' TERM; while :; do sleep 60 & wait $!; done"],
    healthCheck: {
      command: ["CMD-SHELL", healthCommand(port, healthPath)],
      interval: 5,
      timeout: 5,
      retries: 4,
      // AWS takes at most 300 s.
      startPeriod: Math.min(300, Math.ceil(startTimeoutSeconds)),
    },
    environment: [],
    secrets: [],
    logConfiguration: logConfiguration(name, input),
  };
}

/**
 * As on the other targets `localhost` is asked for: development servers and frameworks refuse hosts that they do not
 * know. The connection stays open for writing while the answer is awaited: some servers take its end for a hang-up.
 */
function healthCommand(port: number, path: string | undefined): string {
  // Not every nc has -z.
  if (path === undefined) return `nc -w 4 127.0.0.1 ${port} -e true`;
  const request = `GET ${path} HTTP/1.1\\r\\nHost: localhost\\r\\nUser-Agent: stackling-health\\r\\nConnection: close\\r\\n\\r\\n`;
  return `(printf ${quote(request.replaceAll("%", "%%"))}; sleep 3) | nc -w 3 127.0.0.1 ${port} | head -n 1 | grep -Eq '^HTTP/1\\.[01] [23][0-9][0-9]'`;
}

function shellLine(command: string, directory: string): string {
  return directory === "." ? command : `cd ${quote(directory)} && ${command}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function logConfiguration(stream: string, { logGroup, options }: ContainersInput) {
  return {
    logDriver: "awslogs",
    options: { "awslogs-group": logGroup, "awslogs-region": options.region, "awslogs-stream-prefix": stream },
  };
}

function credentialsFor(image: string, { registryCredentials }: ContainersInput["options"]): string | undefined {
  const host = image.split("/")[0] ?? "";
  return Object.hasOwn(registryCredentials, host) ? registryCredentials[host] : undefined;
}

/** In one order always, so that the same wish is the same task definition. */
function sorted<T extends { readonly name: string }>(entries: readonly T[]): T[] {
  return [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
}
