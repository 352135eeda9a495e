import type { BuildStep, ServiceDefinition } from "../../components/ports.ts";
import type { Flag } from "../../components/service/flags.ts";
import type { ChecksSpec } from "../../infra/checks.ts";
import type { ApplicationAccess } from "./access-types.ts";
import type { ApplicationDatabase } from "./application-database.ts";
import type { BannerConfig } from "./banner.ts";
import type { LoginConfig } from "./login.ts";
import type { OwnPart } from "./own-parts.ts";

/** `preview.yaml` */
export interface ApplicationConfig {
  /** Which service answers at the preview's main host; the first `web` one by default. */
  readonly main: string;
  readonly install: readonly BuildStep[];
  readonly build: readonly BuildStep[];
  readonly services: readonly ServiceDefinition[];
  readonly database?: ApplicationDatabase;
  /** Shuts the operator's door further. */
  readonly access?: ApplicationAccess;
  /** Undefined: as the operator says. */
  readonly banner?: BannerConfig;
  /** Keys of it that are the head's and not yet the base's; absent where there are none. */
  readonly fromHead?: readonly string[];
  /** Users that visitors may log in as; absent where the application has no such login. */
  readonly login?: LoginConfig;
  /** What a new version must pass; undefined: nothing beyond its health check. */
  readonly checks?: ChecksSpec;
  /** Names of random secrets made once per preview. */
  readonly generatedSecrets: readonly string[];
  /** Names of operator secrets the application asks to be granted. */
  readonly grantedSecrets: readonly string[];
  /** Feature flags by name; absent where there are none. */
  readonly flags?: Readonly<Record<string, FlagDeclaration>>;
  /** Services of others that it talks to; undefined where the file does not say. */
  readonly external?: readonly ExternalService[];
  /** Other repositories that services come from, as the file names them; absent where there are none. */
  readonly repositories?: Readonly<Record<string, string>>;
  /** What those are now, by the same names; absent until somebody has read them. */
  readonly sources?: Readonly<Record<string, ApplicationSource>>;
  readonly submodules: boolean;
  readonly lfs: boolean;
}

/** The commit of another repository whose services run in a preview. */
export interface ApplicationSource extends Pick<ApplicationConfig, "install" | "build" | "submodules" | "lfs"> {
  /** Name in the operator's config. */
  readonly name: string;
  /** Where it is fetched from; without credentials. */
  readonly cloneUrl: string;
  readonly commit: string;
  /** Pull request whose head it is; undefined: of the default branch. */
  readonly number?: number;
}

/** A feature flag as it is where nobody says otherwise. */
export type FlagDeclaration = Pick<Flag, "default" | "values">;

export type ExternalMode = "sandbox" | "emulated" | "own" | "shared" | "off";

/** A service of somebody else, and what it is in each place. */
export interface ExternalService {
  readonly name: string;
  /** In previews. */
  readonly mode: ExternalMode;
  /** In words; undefined where nobody said. */
  readonly production?: string;
  readonly development?: string;
  /** `YYYY-MM-DD` on which somebody is to look at it again. */
  readonly review?: string;
  /** That previews may call for it, as typed; undefined: none. */
  readonly hosts?: readonly string[];
  /** Granted secrets by the variables that hold them. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Where it is a part of the preview's own. */
  readonly own?: OwnPart;
  /** Path, at the service that plays it, of the page with what was sent to it. */
  readonly inbox?: string;
}
