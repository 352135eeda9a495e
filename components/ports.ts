/**
 * The ports a target is put together from: service, database, dns, secrets, and backing for what previews share.
 *
 * A driver is one file that exports `{ options, component, operations, example }`. `component` says
 * what shall exist (Pulumi); `operations` is what must be asked of the world outside Pulumi. A port
 * knows no pull request and no HTTP: `stack` and `tags` are all the identity it gets.
 */
import type { ComponentResourceOptions, Input, Output } from "@pulumi/pulumi";
import type { z } from "zod";
import type { EgressDefinition } from "./egress.ts";
import type { Operations } from "./operations.ts";
import type { PreviewComponent } from "./preview-component.ts";
import type { LinkedSource, SourceDefinition } from "./source-port.ts";
import type { TaskDefinition } from "./task-port.ts";

export type { BackingArgs, BackingComponent, BackingDriver } from "./backing-port.ts";
export type {
  Change,
  Finding,
  LogLine,
  LogQuery,
  OperationContext,
  Operations,
  OwnedThing,
  Reach,
  Usage,
} from "./operations.ts";
export type { BuildStep, LinkedSource, SourceDefinition } from "./source-port.ts";
export type { TaskDefinition } from "./task-port.ts";

/** The tags every resource carries, by which sweep and bill know whose it is. Values are plain text, never secret. */
export type Tags = Readonly<Record<string, string>>;

export type ServiceKind = "web" | "worker" | "cron" | "job";

/** A further process beside a service, sharing its environment, its network and its life. */
export interface SidecarDefinition {
  readonly name: string;
  /** Absent where its image brings its own. */
  readonly command?: string;
  /** For drivers that run images; absent: the service's own image. */
  readonly image?: string;
  /** Port it listens on, reached by its service at 127.0.0.1. */
  readonly port?: number;
}

/** One process of the application, as `preview.yaml` declares it. */
export interface ServiceDefinition {
  /** Lower-case letters, digits and dashes, at most 30, no dash last; unique in the preview. */
  readonly name: string;
  readonly kind: ServiceKind;
  /** Of `sources`: the other repository that it is of; absent: the preview's own. */
  readonly source?: string;
  /** Shell command that starts it; absent where an image brings its own. */
  readonly command?: string;
  /** Container image; in a program it is pinned (`registry/name@sha256:…`) for drivers that run images. */
  readonly image?: string;
  /** Runs with a root file system that it cannot write; drivers that run images only. */
  readonly readOnlyRoot?: boolean;
  /** Folder inside the source in which it runs; `.` by default, never outside. */
  readonly directory: string;
  /** Fixed port for drivers with a network of their own; the local driver chooses one and sets `PORT`. */
  readonly port?: number;
  /**
   * Names of further ports that it listens on, on 127.0.0.1, found in `PORT_NAME` and by others in
   * `${services.NAME.ports.PORT}`; only drivers that run processes on one machine give them.
   */
  readonly ports?: readonly string[];
  /** Path that must answer 200–399 before traffic; `web` only. Without one, an open port suffices. */
  readonly healthPath?: string;
  /** Seconds from start to healthy before the release counts as failed. */
  readonly startTimeoutSeconds: number;
  /** Five-field cron expression in UTC; `cron` only. */
  readonly schedule?: string;
  /** Values may hold `${database.url}`, `${services.NAME.url}`, `${services.NAME.address}`, `${secrets.NAME}`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly dependsOn: readonly string[];
  readonly sidecars: readonly SidecarDefinition[];
  readonly memoryMiB: number;
  /** Share of one CPU, 1 = one core. */
  readonly cpu: number;
}

export interface ServiceArgs<O = unknown> {
  readonly stack: string;
  readonly tags: Tags;
  readonly options: O;
  readonly source: SourceDefinition;
  /** Commits of other repositories that services are of, by the names that these give them. */
  readonly sources?: Readonly<Record<string, LinkedSource>>;
  readonly services: readonly ServiceDefinition[];
  readonly tasks: readonly TaskDefinition[];
  /** A gate may be among the tasks of a later update, which is to change nothing else. */
  readonly gated?: true;
  /** Public URL of each service that has one, by service name. */
  readonly urls: Readonly<Record<string, string>>;
  /** Present when the preview has a database; tasks are keyed by `identity`. */
  readonly database?: DatabaseConnection;
  /** Secret values by name, for `${secrets.NAME}`. */
  readonly secrets?: Output<Readonly<Record<string, string>>>;
  /** Secrets that lie in a store of their own, by name; a driver that can refer to them does not copy their values. */
  readonly secretReferences?: Readonly<Record<string, SecretLocation>>;
  /** Non-secret environment for every process: preview key, commit, URL. */
  readonly environment: Readonly<Record<string, string>>;
  /** Text of a file with flag definitions; a driver that can gives it to its services, see service/flags.ts. */
  readonly flags?: string;
  /** Where its processes may go; absent: anywhere. */
  readonly egress?: EgressDefinition;
  /** Raised to release the same commit again. */
  readonly generation: number;
}

/** All services of one preview; `addresses` resolve only once every service of this release is healthy. */
export interface ServiceComponent extends PreviewComponent {
  /** Private `host:port` of each service that listens, by service name. */
  readonly addresses: Output<Readonly<Record<string, string>>>;
  /**
   * Public name or IP address that the hosts must lead to, where the driver puts previews at the edge
   * itself (`edge: direct`); absent where the gateway is the edge.
   */
  readonly edge?: Output<string>;
}

/** Where a secret's value lies outside the stack. */
export type SecretLocation =
  | { readonly kind: "aws"; readonly arn: Input<string> }
  /** An External Secrets store of the cluster; `key` and `property` as its provider names them. */
  | {
      readonly kind: "external";
      readonly store: string;
      readonly storeKind: "SecretStore" | "ClusterSecretStore";
      readonly key: string;
      readonly property?: string;
    };

export interface DatabaseConnection {
  readonly name: Output<string>;
  /** Secret. `postgres://role:password@host:port/name`. */
  readonly url: Output<string>;
  /** Changes whenever the database was made anew, so that migrations and seeds run again. */
  readonly identity: Output<string>;
}

export interface DatabaseArgs<O = unknown> {
  readonly stack: string;
  readonly tags: Tags;
  readonly options: O;
  /** Raised to make the database anew (`reset-db`). */
  readonly generation: number;
  /** Named baseline to branch from; absent: an empty database. */
  readonly baseline?: string;
  /**
   * Raised to have its login made anew (`rotate`): the data stays, and the login before it is good until what uses
   * it was replaced. Absent: 0.
   */
  readonly rotation?: number;
  /** Somebody asks for `operations.renew` while the preview lives, so that its login may end by itself. */
  readonly renewed?: true;
}

export interface DatabaseComponent extends PreviewComponent, DatabaseConnection {
  /** Secret. Values of the variables that its driver `gives`. */
  readonly environment?: Output<Readonly<Record<string, string>>>;
  /**
   * Told when all else of the preview is declared: what it declares by `service` comes after migrations and seeds.
   *
   * @param version changes with whatever the database may have been migrated for
   */
  released?(service: ServiceComponent, version: Input<string>): void;
}

export interface RouteDefinition {
  readonly host: string;
  readonly service: string;
  /** Private `host:port`. */
  readonly address: Input<string>;
  /** Public name or IP address the host leads to; absent: the gateway's, which the driver's options name. */
  readonly edge?: Input<string>;
}

export interface DnsArgs<O = unknown> {
  readonly stack: string;
  readonly tags: Tags;
  readonly options: O;
  readonly routes: readonly RouteDefinition[];
}

export interface DnsComponent extends PreviewComponent {
  readonly hosts: Output<readonly string[]>;
}

export interface SecretDefinition {
  /** `[A-Z][A-Z0-9_]*` */
  readonly name: string;
  /** Given by the operator (already a Pulumi secret), or made once and kept for the life of the preview. */
  readonly value?: Output<string>;
  /** Granted by the operator, and to be found in the store of a driver that brings such secrets itself. */
  readonly granted?: true;
  /** Raised to make a generated value anew (`rotate`). */
  readonly generation: number;
}

export interface SecretsArgs<O = unknown> {
  readonly stack: string;
  readonly tags: Tags;
  readonly options: O;
  readonly secrets: readonly SecretDefinition[];
}

export interface SecretsComponent extends PreviewComponent {
  /** Secret. By name; those that only their store knows are absent. */
  readonly values: Output<Readonly<Record<string, string>>>;
  /** Where they lie, for drivers with a store of their own. */
  readonly references?: Readonly<Record<string, SecretLocation>>;
}

/** A target as its drivers see each other when the config is read. */
export interface TargetChoice {
  readonly service: DriverChoice;
  readonly database?: DriverChoice;
  readonly dns: DriverChoice;
  readonly secrets: DriverChoice;
  /** Servers of others that each preview gets a part of, by the operator's name for them. */
  readonly backing?: Readonly<Record<string, DriverChoice>>;
}

/** A driver by name with its parsed options. */
export interface DriverChoice {
  readonly driver: string;
  readonly options: Readonly<Record<string, unknown>>;
}

type ComponentClass<A, C> = new (name: string, args: A, opts?: ComponentResourceOptions) => C;

/** What one vendor's file exports. `O` is the type its `options` schema parses to. */
export interface Driver<O, A, C> {
  /** Schema with defaults and a description per option; generates the config's documentation. */
  readonly options: z.ZodType<O>;
  readonly component: ComponentClass<A, C>;
  readonly operations: Operations<O>;
  /** Arguments by which the contract suite runs the driver. */
  readonly example: () => Omit<A, "stack" | "tags">;
  /** Provider packages of npm whose plugin the engine needs for it, such as `@pulumi/kubernetes`. */
  readonly plugins?: readonly string[];
  /** Why it cannot be part of this target, with the way out; undefined when it can. Asked when the config is read. */
  readonly refuses?: (target: TargetChoice) => string | undefined;
  /**
   * Of service and database drivers: names of the options that say where things lie, such as `region`. A
   * preview that serves is never moved by an update; it says that its target changed and how to make it anew.
   */
  readonly placedBy?: readonly string[];
}

export interface ServiceDriver<O = unknown> extends Driver<O, ServiceArgs<O>, ServiceComponent> {
  /** `source`: builds and runs a checkout. `images`: every service needs an image, pinned before the update. */
  readonly runs: "source" | "images";
  /**
   * Whether what it runs is kept from the service's own files, and previews from each other's, where it runs now;
   * absent: always. Without that no stranger's pull request runs, unless the operator says so.
   */
  readonly isolates?: () => boolean;
  /** Whether `egress` is enforced where it runs now; absent: programs are only told. */
  readonly enforcesEgress?: (options: O) => Promise<boolean>;
}
export interface DatabaseDriver<O = unknown> extends Driver<O, DatabaseArgs<O>, DatabaseComponent> {
  /**
   * Of drivers whose database is not the preview's own: which commands of `preview.yaml` are run on it; nothing that
   * a preview wishes makes it anew. Absent: it is its own, and all are run.
   */
  readonly shares?: (options: O) => readonly TaskDefinition["name"][];
  /** Names of environment variables that all services get with such a database, beside `DATABASE_URL`. */
  readonly gives?: readonly string[];
  /** It gives data of the operator's that no pull request of a stranger may see. */
  readonly trustedOnly?: true;
}
export type DnsDriver<O = unknown> = Driver<O, DnsArgs<O>, DnsComponent>;
export interface SecretsDriver<O = unknown> extends Driver<O, SecretsArgs<O>, SecretsComponent> {
  /** `granted`: granted secrets lie in a store of the driver's own, and the configuration names no values for them. */
  readonly brings?: "granted";
}
