import type { BuildStep, ServiceDefinition, ServiceKind } from "../../components/ports.ts";
import type { ApplicationConfig } from "./application-types.ts";

export interface DetectedService {
  readonly name: string;
  readonly kind: ServiceKind;
  readonly command: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly memoryMiB?: number;
}

export interface DetectedParts {
  readonly services: readonly DetectedService[];
  readonly install: readonly BuildStep[];
  readonly build: readonly BuildStep[];
  readonly database?: NonNullable<ApplicationConfig["database"]>;
}

/** The application that a `preview.yaml` with these parts would give. */
export function toDetected({ services, install, build, database }: DetectedParts): ApplicationConfig {
  return {
    main: services.find((service) => service.kind === "web")?.name ?? "",
    install,
    build,
    services: services.map(
      (service): ServiceDefinition => ({
        name: service.name,
        kind: service.kind,
        command: service.command,
        directory: ".",
        startTimeoutSeconds: 60,
        environment: { ...(database ? { DATABASE_URL: "${database.url}" } : {}), ...service.environment },
        dependsOn: [],
        sidecars: [],
        memoryMiB: service.memoryMiB ?? 512,
        cpu: 0.5,
      }),
    ),
    ...(database ? { database } : {}),
    generatedSecrets: [],
    grantedSecrets: [],
    submodules: false,
    lfs: false,
  };
}
