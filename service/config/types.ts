/**
 * The two config files as the rest of the program uses them: parsed, defaulted and checked. What a
 * person typed is the parsers' business (`operator.ts`, `application.ts`).
 */
import type { TargetChoice } from "../../components/ports.ts";
import type { ForgeName } from "../forges/registry.ts";
import type { AccessConfig } from "./access-types.ts";
import type { BannerConfig } from "./banner.ts";
import type { BaselineConfig } from "./baselines.ts";
import type { BudgetConfig } from "./budgets.ts";
import type { ChatConfig } from "./chat.ts";
import type { Verbosity } from "./comment-schema.ts";
import type { CostsConfig } from "./costs.ts";
import type { DashboardConfig } from "./dashboard.ts";
import type { EgressConfig } from "./egress.ts";
import type { HookConfig } from "./hooks.ts";
import type { RepositoryConfig } from "./repository-types.ts";
import type { SignatureRule } from "./signatures.ts";

export interface TargetConfig extends TargetChoice {
  readonly name: string;
  /** What its service driver runs. */
  readonly runs: "source" | "images";
  /** Names of the options that say where things lie, by port: previews are not moved by a change of them. */
  readonly places?: {
    readonly service?: readonly string[];
    readonly database?: readonly string[];
    /** By the name of the server. */
    readonly backing?: Readonly<Record<string, readonly string[]>>;
  };
  /** Its service driver holds previews back from the network where this runs. */
  readonly enforcesEgress?: true;
  /** Its database driver gives previews no database of their own. */
  readonly sharesDatabase?: true;
  /** Absolute path of the operator's own module that adds to each preview. */
  readonly program?: string;
  /** Names of the values that a part of each of its `backing` has. */
  readonly gives?: Readonly<Record<string, readonly string[]>>;
}

/** How long previews live; a time that is absent is `off`. */
export interface Lifecycle {
  /** Without a visit or push it falls asleep, */
  readonly sleepAfterSeconds?: number;
  /** its author is warned, */
  readonly warnAfterSeconds?: number;
  /** and it is destroyed. */
  readonly destroyAfterSeconds?: number;
  /** From its creation: it goes, however much it is used. */
  readonly hardStopSeconds?: number;
  /** From its creation: how far `extend` may move the hard stop. */
  readonly extendMaxSeconds?: number;
  /** Outside of them it sleeps, unless it was just used; undefined: there are none. */
  readonly officeHours?: OfficeHours;
  /** When every preview goes that nobody keeps. */
  readonly teardown?: Teardown;
}

/** Cron expressions of five fields, in a time zone of the IANA database. */
export interface OfficeHours {
  /** When they begin, */
  readonly awake: string;
  /** and when they end. */
  readonly asleep: string;
  readonly timeZone: string;
  /** Outside of them: how long a visit or push keeps a preview awake. */
  readonly wakeForSeconds: number;
}

export interface Teardown {
  /** A cron expression of five fields. */
  readonly at: string;
  readonly timeZone: string;
}

/** What is done when a preview's world is not as its stack says. */
export type DriftPolicy = "off" | "report" | "repair";

export type SecretReference = { readonly env: string } | { readonly file: string };

export interface ForgeConfig {
  readonly name: string;
  readonly kind: ForgeName;
  /** Parsed by the forge's own schema. */
  readonly options: unknown;
}

/** What targets that run images may run, and how they come to it. */
export interface ImagesConfig {
  /** Hosts, or starts of names at one, that images may come from; undefined: any. */
  readonly registries?: readonly string[];
  /** By registry host. */
  readonly credentials: Readonly<Record<string, { readonly username: string; readonly password: SecretReference }>>;
  /** An image that some of them name must be signed by one of those; undefined: none must. */
  readonly signatures?: readonly SignatureRule[];
  /** How long the image of a new commit is waited for. */
  readonly waitSeconds: number;
}

/** A Prometheus server that gates may ask. */
export interface PrometheusConfig {
  readonly url: string;
  /** Bearer token. */
  readonly token?: SecretReference;
}

/** How metrics are read. */
export interface MetricsConfig {
  /** Opens `/metrics` and nothing else; the API's own tokens open it too. */
  readonly token?: SecretReference;
}

export interface OperatorConfig {
  readonly forges: readonly ForgeConfig[];
  readonly repositories: readonly RepositoryConfig[];
  readonly targets: readonly TargetConfig[];
  /** Where the gateway answers, such as `localhost:4000` or `preview.acme.dev`. */
  readonly domain: string;
  readonly scheme: "http" | "https";
  readonly port: number;
  /** Address to listen on; 127.0.0.1 by default. */
  readonly host: string;
  /** Postgres URL of the store; undefined: the embedded server. */
  readonly store?: SecretReference;
  /** Pulumi backend URL; undefined: `file://` in the data folder. */
  readonly backend?: string;
  /** Where the backend's URL lies when it holds a password; `backend` is then absent until the start. */
  readonly backendReference?: SecretReference;
  /** Where the encryption passphrase lies; undefined: a 0600 file in the data folder. */
  readonly passphrase?: SecretReference;
  /** As `pulumi stack init --secrets-provider` takes it; undefined: `passphrase`. */
  readonly secretsProvider?: string;
  /** Names of variables of the service's environment that engines get too. */
  readonly engineEnvironment?: readonly string[];
  /** Where the API's bearer token lies; undefined: made once, in the data folder. */
  readonly token?: SecretReference;
  /** Where the log goes; undefined: the file in the data folder. */
  readonly log?: "file" | "stderr";
  /** Undefined: by the domain, see `defaultAccess`. */
  readonly access?: AccessConfig;
  /** Who may log in to the pages; undefined: who has a printed link. */
  readonly dashboard?: DashboardConfig;
  /** Undefined: on every page. */
  readonly banner?: BannerConfig;
  /** Where previews may go; undefined: to named hosts only. */
  readonly egress?: EgressConfig;
  /** Addresses and networks whose forwarding headers are believed; undefined: none. */
  readonly trustForwarded?: readonly string[];
  /** Undefined: none. */
  readonly baselines?: readonly BaselineConfig[];
  /** Prometheus servers by name; undefined: none. */
  readonly metrics?: MetricsConfig;
  readonly prometheus?: Readonly<Record<string, PrometheusConfig>>;
  /** Undefined: `defaultCosts`. */
  readonly costs?: CostsConfig;
  /** In their order; undefined: none. */
  readonly budgets?: readonly BudgetConfig[];
  readonly images: ImagesConfig;
  readonly limits: {
    /** Engine runs at once. */
    readonly engineRuns: number;
    readonly memoryMiB: number;
    readonly cpu: number;
    readonly services: number;
    /** Below this nothing new is built; undefined: 1 GiB, or 5 % of a smaller disk. */
    readonly diskFreeMiB?: number;
    /** Requests that may be held at once while previews wake; undefined: 512. */
    readonly heldRequests?: number;
    /** How long each of them may be; undefined: 90. */
    readonly holdForSeconds?: number;
    /** Files of one commit, and MiB of them, that are checked out at most; undefined: as components/local/tree-size.ts. */
    readonly checkoutFiles?: number;
    readonly checkoutMiB?: number;
    /** Smoke tests and gates of one preview together; undefined: `defaultChecks`. */
    readonly checks?: number;
    /** How long all of them may take together; undefined: `defaultChecks`. */
    readonly checksForSeconds?: number;
    readonly webhookBytes: number;
    /** Deliveries over 1 MiB that may be read at once. */
    readonly largeBodies: number;
    /** Live previews at once: being built, or awake. Undefined: any number. */
    readonly previews?: number;
    readonly previewsPerRepository?: number;
    /** Of one author of pull requests, over all repositories. */
    readonly previewsPerAuthor?: number;
    /** Whether the idlest is put to sleep for one that waits. */
    readonly makeRoom?: boolean;
    /** How long nobody may have visited one that is put to sleep for another. */
    readonly makeRoomAfterSeconds?: number;
  };
  readonly lifecycle: Lifecycle & { readonly resyncSeconds: number };
  /** How often each preview is compared with the world; undefined: `defaultDrift`. */
  readonly drift?: { readonly policy: DriftPolicy; readonly everySeconds: number };
  /** How often what no preview owns is looked for; undefined: `defaultSweep`. */
  readonly sweep?: { readonly everySeconds: number };
  /** How long the audit is kept; undefined: `defaultAudit`. */
  readonly audit?: { readonly keepDays: number };
  /** How long applications' logs are kept on this machine; undefined: `defaultApplicationLogs`. */
  readonly applicationLogs?: { readonly keepDays: number };
  /** Whether the policy pack runs with each update, and what comes of a violation; undefined: off. */
  readonly policy?: "advisory" | "mandatory";
  /** Offered to visitors while there is no preview to show: a shared staging, say. */
  readonly fallbackUrl?: string;
  /** How much the one comment on a pull request says. */
  readonly comments: Verbosity;
  /** The operator's own text of it, in Liquid; undefined: the words built in. */
  readonly commentTemplate?: { readonly file: string; readonly text: string };
  /** Channels that are told of previews, by name; undefined: none. */
  readonly chat?: Readonly<Record<string, ChatConfig>>;
  /** Outgoing webhooks by name; undefined: none. */
  readonly hooks?: Readonly<Record<string, HookConfig>>;
}
