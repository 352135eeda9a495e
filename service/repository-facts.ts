/** Each repository with what its preview.yaml says, and what is known of its forge. */
import type { ApplicationConfig } from "./config/application-types.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import type { OperatorConfig } from "./config/types.ts";
import type { ExternalServices } from "./external/services.ts";
import type { Repositories } from "./repositories.ts";
import type { DeliveryStore } from "./store/deliveries.ts";
import type { Store } from "./store/store.ts";

export interface RepositoryFacts {
  readonly name: string;
  readonly forge: string;
  /** `github`, `gitea`, `local`, … */
  readonly kind: string;
  readonly path: string;
  /** Its page on the forge, where that is known. */
  readonly url?: string;
  readonly target: string;
  /** Previews that are there now. */
  readonly previews: number;
  /** ISO 8601 of the last webhook about one of its pull requests; absent where none came lately. */
  readonly lastDeliveryAt?: string;
  /** What preview.yaml of its default branch says; absent where it cannot be read or is wrong. */
  readonly application?: ApplicationFacts;
  /** Of preview.yaml, with line numbers; or why it cannot be read. */
  readonly problems: readonly string[];
}

export interface ApplicationFacts {
  readonly services: readonly { readonly name: string; readonly kind: string; readonly runs: string }[];
  readonly install: readonly string[];
  readonly build: readonly string[];
  readonly database: boolean;
  readonly migrate?: string;
  readonly seed?: string;
  readonly flags: readonly string[];
  readonly external: readonly string[];
  /** Smoke tests and gates. */
  readonly checks: number;
  readonly secrets: readonly string[];
}

export interface RepositoryFactsDeps {
  readonly config: Pick<OperatorConfig, "forges">;
  readonly repositories: Pick<Repositories, "all">;
  readonly external: Pick<ExternalServices, "applications">;
  readonly store: Pick<Store, "list"> & Pick<DeliveryStore, "lastDeliveries">;
}

export function createRepositoryFacts(deps: RepositoryFactsDeps): () => Promise<readonly RepositoryFacts[]> {
  return async () => {
    const [repositories, reads, previews, deliveries] = await Promise.all([
      deps.repositories.all(),
      deps.external.applications(),
      deps.store.list(),
      deps.store.lastDeliveries(),
    ]);
    return repositories.map((repository) => {
      const { name, forge, path, target } = repository;
      const own = previews.filter((preview) => preview.repository === name);
      const read = reads.find((one) => one.repository.name === name)?.read;
      const lastDeliveryAt = deliveries[name];
      const url = urlOf(repository, deps.config, own[0]?.pullRequest?.commitUrl);
      return {
        name,
        forge,
        kind: deps.config.forges.find((one) => one.name === forge)?.kind ?? "local",
        path,
        ...(url === undefined ? {} : { url }),
        target,
        previews: own.length,
        ...(lastDeliveryAt === undefined ? {} : { lastDeliveryAt }),
        ...(read?.kind === "found" ? { application: factsOf(read.application) } : {}),
        problems:
          read?.kind === "invalid"
            ? [read.message, ...read.problems]
            : read?.kind === "unreachable"
              ? [read.message]
              : [],
      };
    });
  };
}

function factsOf(application: ApplicationConfig): ApplicationFacts {
  const { services, install, build, database, flags = {}, external = [], checks, grantedSecrets } = application;
  const seed = database?.seed?.command;
  return {
    services: services.map(({ name, kind, command, image }) => ({ name, kind, runs: command ?? image ?? "" })),
    install: install.map(({ command }) => command),
    build: build.map(({ command }) => command),
    database: database !== undefined,
    ...(database?.migrate ? { migrate: database.migrate.command } : {}),
    ...(seed === undefined ? {} : { seed }),
    flags: Object.keys(flags),
    external: external.map(({ name, mode }) => `${name} (${mode})`),
    checks: (checks?.smoke.length ?? 0) + (checks?.gates.length ?? 0),
    secrets: grantedSecrets,
  };
}

/** As the forge's own links say it, else by where the forge is. */
function urlOf(
  { forge, path }: RepositoryConfig,
  { forges }: Pick<OperatorConfig, "forges">,
  commitUrl: string | undefined,
): string | undefined {
  const said = commitUrl?.split(`/${path}/`)[0];
  if (said && commitUrl?.includes(`/${path}/`)) return `${said}/${path}`;
  const found = forges.find(({ name }) => name === forge);
  const { url } = (found?.options ?? {}) as { readonly url?: unknown };
  if (typeof url === "string" && /^https?:/.test(url)) return `${new URL(url).origin}/${path}`;
  return found?.kind === "github" ? `https://github.com/${path}` : undefined;
}
