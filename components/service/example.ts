/** The preview by which the contract suite runs every service driver. */
import type { ServiceArgs, ServiceDefinition } from "../ports.ts";

/** What all its services have in common: a `command` for drivers that run source, an `image` for the others. */
export type ExampleService = Pick<ServiceDefinition, "command" | "image" | "memoryMiB" | "cpu" | "startTimeoutSeconds">;

/** A `web` service that needs an `api` service; nothing but the options is missing. */
export function servicesExample(
  { repository, url }: { readonly repository: string; readonly url: string },
  common: ExampleService,
): Omit<ServiceArgs, "stack" | "tags" | "options"> {
  const service = (given: Pick<ServiceDefinition, "name"> & Partial<ServiceDefinition>): ServiceDefinition => ({
    kind: "web",
    directory: ".",
    healthPath: "/health",
    environment: {},
    dependsOn: [],
    sidecars: [],
    ...common,
    ...given,
  });
  return {
    source: {
      repository,
      commit: "0123456789abcdef0123456789abcdef01234567",
      submodules: false,
      lfs: false,
      install: [],
      build: [],
    },
    services: [
      service({ name: "web", dependsOn: ["api"], environment: { API: "http://${services.api.address}" } }),
      service({ name: "api", environment: { GREETING: "hello" } }),
    ],
    tasks: [],
    urls: { web: url },
    environment: {},
    generation: 0,
  };
}
