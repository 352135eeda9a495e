import type { AccessConfig } from "./access-types.ts";
import type { ApplicationConfig } from "./application-types.ts";
import type { ApprovalConfig } from "./approval.ts";
import type { BannerConfig } from "./banner.ts";
import type { Verbosity } from "./comment-schema.ts";
import type { EgressConfig } from "./egress.ts";
import type { HeadKey } from "./head-changes.ts";
import type { StageConfig } from "./stages.ts";
import type { DriftPolicy, Lifecycle, SecretReference } from "./types.ts";

/** Which pull requests get previews. */
export interface PullRequestRules {
  readonly drafts: boolean;
  readonly bots: boolean;
  /** Only with this label. */
  readonly label?: string;
  /** Never with this one. */
  readonly ignoreLabel: string;
  /** Patterns of git branches that they go into. */
  readonly bases: readonly string[];
  /** Only with a change of a file that matches one of these, */
  readonly paths?: readonly string[];
  /** of those that match none of these. */
  readonly ignorePaths?: readonly string[];
}

/** What pull requests of forks and outsiders get, and where they may run. */
export interface UntrustedRules {
  /** As `headMayChange` of the repository, for them. */
  readonly headMayChange?: readonly HeadKey[];
  /** In place of the repository's baseline; undefined: an empty database. */
  readonly baseline?: string;
  /** True: also on a target that does not keep them apart from the service. */
  readonly withoutIsolation?: boolean;
}

export interface RepositoryConfig {
  /** Unique and immutable; part of every name. Lower-case letters, digits and dashes, at most 30; a letter first, no dash last. */
  readonly name: string;
  /** Name of an entry of `forges`. */
  readonly forge: string;
  /** `acme/shop`, or the absolute path of a local repository. */
  readonly path: string;
  /** The forge's own id of the repository that `name` stands for; undefined: the one that was seen first. */
  readonly id?: string;
  readonly target: string;
  /** Glob patterns of git branches that get previews; the default branch never does. */
  readonly branches: readonly string[];
  /** Undefined: all but those with the label `no-preview`. */
  readonly pullRequests?: PullRequestRules;
  /** Database baseline by name; undefined when previews start from an empty database. */
  readonly baseline?: string;
  /** Further ones that `preview.yaml` may choose. */
  readonly baselines?: readonly string[];
  /** Keys of `preview.yaml` that a head may change before it is merged; undefined: none. */
  readonly headMayChange?: readonly HeadKey[];
  /** Of pull requests that are not trusted, once they are approved. */
  readonly untrusted?: UntrustedRules;
  /** What each commit of a pull request waits for, trusted or not; undefined: nothing beside trust. */
  readonly approval?: ApprovalConfig;
  /** Names of repositories whose previews may have services of this one; undefined: none. */
  readonly linkedBy?: readonly string[];
  /** Values granted to trusted previews by name: resolved from environment or file when used. */
  readonly secrets: Readonly<Record<string, SecretReference>>;
  /** Who pays and who is asked, for the tags. */
  readonly team?: string;
  readonly costCenter?: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Whole, the operator's own times filled in; undefined: those of the config. */
  readonly lifecycle?: Lifecycle;
  /** In place of the operator's own. */
  readonly access?: AccessConfig;
  readonly banner?: BannerConfig;
  readonly comments?: Verbosity;
  /** Names of the chats and hooks that are told of it; undefined: all. */
  readonly chat?: readonly string[];
  readonly hooks?: readonly string[];
  /** In place of the operator's own, key by key. */
  readonly egress?: EgressConfig;
  /** Authorization endpoints of providers at which its previews' own logins may begin, by name. */
  readonly oauthRelay?: Readonly<Record<string, string>>;
  /** In place of `drift.policy`. */
  readonly drift?: { readonly policy: DriftPolicy };
  /** In place of `limits.previewsPerRepository`. */
  readonly limits?: { readonly previews?: number };
  /** Long-lived ones beside its previews, by name; undefined: none. */
  readonly stages?: Readonly<Record<string, StageConfig>>;
  /** Set where this is the repository as one of its stages has it, see service/stages/stage.ts. */
  readonly stage?: StageConfig;
  /** `preview.yaml` for a repository that has none of its own; set by `stackling up PATH` detection. */
  readonly application?: ApplicationConfig;
}
