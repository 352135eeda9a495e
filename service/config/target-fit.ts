/** Whether an application can run on a target: what neither file can say alone. Pure. */
import type { ServiceDefinition } from "../../components/ports.ts";
import { imageOf, isCovered, parseImage } from "../images/reference.ts";
import type { ApplicationConfig } from "./application-types.ts";
import { emulatorName } from "./emulators.ts";
import type { RepositoryConfig } from "./repository-types.ts";
import type { ImagesConfig, TargetConfig } from "./types.ts";

export interface Fitting {
  readonly application: ApplicationConfig;
  readonly target: TargetConfig;
  readonly repository: Pick<RepositoryConfig, "name" | "path" | "baseline" | "baselines">;
  readonly images: Pick<ImagesConfig, "registries">;
}

/**
 * Every misfit in words, with the line to write. `install` and `build` are no misfit on a target that runs
 * images, nor an image beside a command on one that runs sources: one file may serve both.
 */
export function misfitsOf(fitting: Fitting): readonly string[] {
  const { application, target } = fitting;
  const around = [...pastGateway(fitting), ...baselineMisfits(fitting)];
  const ofServices = application.services.flatMap((service) =>
    target.runs === "images" ? imageMisfits(fitting, service) : sourceMisfits(fitting, service),
  );
  const services = [...ofServices, ...partMisfits(fitting)];
  if (application.database?.onPush === "reset" && target.sharesDatabase) {
    return [
      ...services,
      ...around,
      `preview.yaml: asks for "onPush: reset", and the database of the target "${target.name}" is shared, so that no preview may make it anew`,
    ];
  }
  if (!application.database || target.database) return [...services, ...around];
  return [...services, ...around, `preview.yaml: asks for a "database", and the target "${target.name}" has none`];
}

/** What only the gateway does. */
function pastGateway({ application: { access, banner, login }, target }: Fitting): readonly string[] {
  if (!isPastGateway(target)) return [];
  const needs = [
    [access, '"access"', "and its doors"],
    [banner, 'a "banner"', "that puts it in"],
    [login, 'a "login"', "that makes its tokens"],
  ] as const;
  return needs.flatMap(([asked, what, does]) =>
    asked
      ? [`preview.yaml: asks for ${what}, and the target "${target.name}" is reached past the gateway ${does}`]
      : [],
  );
}

function baselineMisfits({ application, repository, target }: Fitting): readonly string[] {
  const { from } = application.database ?? {};
  if (from === undefined) return [];
  const { baseline, baselines = [] } = repository;
  const allowed = [...new Set([...(baseline === undefined ? [] : [baseline]), ...baselines])];
  if (target.sharesDatabase) {
    return [`preview.yaml: asks for a database "from: ${from}", and that of the target "${target.name}" is shared`];
  }
  if (allowed.includes(from)) return [];
  const there = allowed.length > 0 ? `it may be ${allowed.join(", ")}` : "it may choose none";
  return [
    `preview.yaml: asks for a database "from: ${from}"; ${there}, by "baselines" of the repository "${repository.name}" in stackling.yaml`,
  ];
}

function partMisfits({ application, target }: Fitting): readonly string[] {
  const known = target.gives ?? {};
  return (application.external ?? []).flatMap(({ name, own }) => {
    if (!own) return [];
    const gives = Object.hasOwn(known, own.from) ? known[own.from] : undefined;
    if (!gives) {
      const there = Object.keys(known);
      const hint = there.length > 0 ? `; there are ${there.join(", ")}` : "";
      return [
        `preview.yaml: external "${name}" is a part of "${own.from}", and the target "${target.name}" has no such \`backing\`${hint}`,
      ];
    }
    const unknown = Object.values(own.values).filter((value) => !gives.includes(value));
    return [
      ...unknown.map((value) => `preview.yaml: external "${name}" has no "${value}"; known: ${gives.join(", ")}`),
      // What has brokers has topics.
      ...(own.topics.length > 0 && !gives.includes("brokers")
        ? [`preview.yaml: external "${name}" has "topics", and the target's \`backing\` "${own.from}" has none`]
        : []),
    ];
  });
}

/** True where previews are reached past the gateway (`edge: direct`), so that their visits are not seen and wake nothing. */
export function isPastGateway({ service }: Pick<TargetConfig, "service">): boolean {
  const { edge } = service.options;
  return edge !== undefined && edge !== "gateway";
}

function sourceMisfits({ target }: Fitting, { name, command, sidecars }: ServiceDefinition): readonly string[] {
  const write = (what: string, under: string) =>
    `preview.yaml: ${what} has an image and no command, but the target "${target.name}" runs the source; write \`command: …\` under "${under}"`;
  const own = command === undefined ? [write(`service "${name}"`, `services.${name}`)] : [];
  const beside = sidecars.filter((sidecar) => sidecar.command === undefined);
  return [
    ...own,
    ...beside.map((sidecar) =>
      write(`sidecar "${sidecar.name}" of service "${name}"`, `services.${name}.sidecars.${sidecar.name}`),
    ),
  ];
}

function imageMisfits(fitting: Fitting, { name, image, sidecars }: ServiceDefinition): readonly string[] {
  const { target, images, application } = fitting;
  const played = application.external?.find((one) => one.mode === "emulated" && emulatorName(one.name) === name);
  if (played) {
    return [
      `preview.yaml: external "${played.name}" is emulated, which the target "${target.name}" cannot, for it runs images; choose another mode, or a target that runs the source`,
    ];
  }
  if (image === undefined) {
    return [
      `preview.yaml: service "${name}" has no image, but the target "${target.name}" runs images; write \`image: ${suggestion(fitting)}\` under "services.${name}" and have CI push it (docs/images.md has a workflow)`,
    ];
  }
  return [image, ...sidecars.flatMap((sidecar) => sidecar.image ?? [])]
    .filter((one) => !isListed(one, images.registries))
    .map(
      (one) =>
        `preview.yaml: service "${name}": image "${one}" is not from a registry that the operator allows: ${images.registries?.join(", ")}`,
    );
}

function isListed(image: string, registries: ImagesConfig["registries"]): boolean {
  const parsed = parseImage(imageOf(image, "0".repeat(40)));
  return !registries || (parsed !== undefined && isCovered(parsed, registries));
}

/** The image that the repository would most likely push. */
function suggestion({ repository, images }: Fitting): string {
  const [registry = repository.path.startsWith("/") ? "registry.example.com" : "ghcr.io"] = images.registries ?? [];
  if (registry.includes("/") || repository.path.startsWith("/")) return `${registry}/${repository.name}:{sha}`;
  return `${registry}/${repository.path.toLowerCase()}:{sha}`;
}
