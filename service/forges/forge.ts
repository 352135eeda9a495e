/**
 * The port to a forge. It reads pull requests and says what became of a preview; it decides nothing.
 * A forge's name for itself, its payloads and the texts of its errors stay in its one file.
 */
import type { z } from "zod";
import type { ReadyEvent } from "../ready-event.ts";
import type { ForgePeople } from "./people.ts";
import type { EnvironmentRead, ReviewsRead } from "./reviews.ts";

/** A pull request as the forge shows it now; never taken from a webhook's payload. */
export interface PullRequest {
  readonly number: number;
  readonly title: string;
  readonly state: "open" | "closed";
  readonly merged: boolean;
  readonly draft: boolean;
  /** Login of the author. */
  readonly author: string;
  /** True when the head lies in another repository than the base: untrusted. */
  readonly fork: boolean;
  /** True when forge and membership say the author may write; an outsider's pull request is untrusted too. */
  readonly trustedAuthor: boolean;
  readonly bot: boolean;
  readonly labels: readonly string[];
  /** What its description says behind `Preview-With:`, as `readPreviewWith` reads it; absent where it says nothing. */
  readonly previewWith?: readonly string[];
  readonly headSha: string;
  readonly headRef: string;
  readonly baseRef: string;
  /** Commit of the base that the forge compares with, where it says so. */
  readonly baseSha?: string;
  readonly url?: string;
  /** Where the forge shows a commit; `{sha}` stands for its id. */
  readonly commitUrl?: string;
  /** The same for what a commit changes as part of this pull request. */
  readonly reviewUrl?: string;
  /** ISO 8601 UTC */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** ISO 8601 UTC; only of one that was merged, where the forge says when. */
  readonly mergedAt?: string;
  /** The forge's own id of the repository that it goes into, the same after a rename; undefined for a forge without. */
  readonly repositoryId?: string;
}

/** What of a pull request says whose approvals of it there are. */
export type Reviewed = Pick<PullRequest, "number" | "headSha" | "headRef" | "fork">;

/** A repository as the operator's config names it. `name` is unique and never changes. */
export interface RepositoryRef {
  readonly name: string;
  /** `acme/shop`, or the path of a local repository. */
  readonly path: string;
  /** Patterns of the git branches that count as pull requests where the forge itself has none (local). All when absent. */
  readonly branches?: readonly string[];
}

/**
 * Three outcomes and no fourth. Only `found` is evidence: a 404, 401, 5xx, an unreadable repository
 * or a partial answer is `unreachable`, and no preview goes for it.
 */
export type PullRequestRead =
  | { readonly kind: "found"; readonly pullRequest: PullRequest }
  | {
      readonly kind: "unreachable";
      readonly message: string;
      /** True where the forge shows the repository and none of that number in it; no evidence about one that was seen. */
      readonly missing?: true;
    };

export type ListRead =
  | { readonly kind: "found"; readonly pullRequests: readonly PullRequest[] }
  | { readonly kind: "unreachable"; readonly message: string };

/** `tooMany`: more than the forge names. Only `found` is evidence, as above. */
export type ChangedPathsRead =
  | { readonly kind: "found"; readonly paths: readonly string[] }
  | { readonly kind: "tooMany" }
  | { readonly kind: "unreachable"; readonly message: string };

/** A comment on a pull request. Bots' comments and our own are none. */
export interface PullRequestComment {
  /** Rises from comment to comment. */
  readonly id: number;
  /** Login; undefined for an account that is no more. */
  readonly author: string | undefined;
  /** ISO 8601 UTC */
  readonly createdAt: string;
  /** As it reads now. */
  readonly body: string;
  /** The forge's own word for what the author is to the repository, where it has one. */
  readonly association?: string;
}

export type CommentsRead =
  | {
      readonly kind: "found";
      /** By rising id. */
      readonly comments: readonly PullRequestComment[];
      /** True when there are more behind the last of these. */
      readonly more: boolean;
      /** The newest comment looked at, whoever wrote it; undefined when there was none. */
      readonly last?: { readonly id: number; readonly at: string };
    }
  | { readonly kind: "unreachable"; readonly message: string };

/** How commands in comments are read and answered; absent for a forge without comments. */
export interface ForgeCommands {
  /** Comments made at or after `since` (ISO 8601 UTC) with an id above `after`. Deleted ones are missing. */
  comments(
    repository: RepositoryRef,
    number: number,
    from: { readonly since: string; readonly after: number },
  ): Promise<CommentsRead>;
  /**
   * Whether its author may write to the repository now; `certain`: what only makes it likely does not count.
   * Throws `StacklingError` when the forge does not say.
   */
  mayCommand(
    repository: RepositoryRef,
    comment: PullRequestComment,
    wanted?: { readonly certain: boolean },
  ): Promise<boolean>;
  /** Puts a reaction on a comment; idempotent, and a no-op where the forge will not have it. Throws `StacklingError`. */
  acknowledge(
    repository: RepositoryRef,
    comment: { readonly number: number; readonly id: number },
    outcome: "done" | "confused" | "refused",
  ): Promise<void>;
}

/** What is announced on the pull request. The forge turns it into whatever it has. */
export interface Announcement {
  readonly key: string;
  /** Of a stage, which is announced on its commit. */
  readonly stage?: { readonly name: string; readonly production: boolean };
  readonly condition: "Ready" | "Reconciling" | "Stalled" | "Gone";
  readonly reason: string;
  /** At most 140 characters, as GitHub's deployment description allows. */
  readonly summary: string;
  /** The one sticky comment, in Markdown; undefined when comments are switched off. */
  readonly comment?: string;
  readonly headSha: string;
  /** An older commit than the head serves, on somebody's word: nothing was said of the head. */
  readonly rolledBack?: true;
  /** What smoke tests and gates said of the head, in Markdown; undefined where nothing was checked. */
  readonly checks?: string;
  readonly environmentUrl?: string;
  readonly logUrl?: string;
  /** Everything that is known, in Markdown: for a check run's own page, where the forge has such. */
  readonly details?: string;
  /** What machines are told of it, where a forge has events of its own; absent while nothing has come of the commit. */
  readonly event?: ReadyEvent;
  /** People wait for it: it goes before others when there is a limit of writes. */
  readonly urgent?: true;
}

/** Ids of what was announced before, kept by the caller, so that nothing is posted twice. */
export type AnnouncementHandles = Readonly<Record<string, string>>;

export interface ClonePoint {
  /** Address for `git fetch`; never holds a credential. */
  readonly url: string;
  /** Environment for git (GIT_ASKPASS and its answer); empty for a local repository. */
  readonly environment: Readonly<Record<string, string>>;
  /** Refs to fetch so that `headSha` arrives, such as `refs/pull/42/head`. */
  readonly refs: readonly string[];
}

/** A delivery after its signature was checked. */
export interface VerifiedDelivery {
  readonly deliveryId: string;
  readonly event: string;
  /** Pull request the event is about; undefined for events that concern none (answered 202, ignored). */
  readonly pullRequest?: { readonly repositoryPath: string; readonly number: number };
  /** The forge's own id of the repository it is about, which keeps it when it is renamed. */
  readonly repositoryId?: string;
  /** Repository whose default branch was pushed to: a hint, which is not stored. */
  readonly pushedTo?: string;
  /** Any other git branch that was pushed to, by its name: a hint as well, for what follows that branch. */
  readonly pushedBranch?: { readonly repositoryPath: string; readonly gitBranch: string };
  /** Repositories that something else became of, to be looked at: hints, too. At most a hundred. */
  readonly concerns?: readonly { readonly repositoryPath: string; readonly repositoryId?: string }[];
  /** Login of who asked for the pull request's check to be run again, which the forge lets only those do who may write. */
  readonly rerunBy?: string;
}

/** A delivery that the forge could not hand over. */
export interface FailedDelivery {
  /** The one that it bears in `VerifiedDelivery`. */
  readonly deliveryId: string;
  /** Has the forge try once more. Throws `StacklingError`. */
  again(): Promise<void>;
}

export interface IncomingDelivery {
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The raw body, as signed. */
  readonly body: Buffer;
}

export interface Forge {
  readonly name: string;
  /** Where the previews of this forge get their pull requests from webhooks; absent for a forge without. */
  verify?(delivery: IncomingDelivery): Promise<VerifiedDelivery>;
  read(repository: RepositoryRef, number: number): Promise<PullRequestRead>;
  /** All open pull requests; truth for the resync, the webhook is a hint. */
  list(repository: RepositoryRef): Promise<ListRead>;
  /**
   * Every file that differs between the head and where it left its base; of one that was renamed, both
   * names. Costs no request while head and base stay the same.
   */
  changedPaths?(
    repository: RepositoryRef,
    pullRequest: Pick<PullRequest, "number" | "headSha" | "baseRef" | "baseSha">,
  ): Promise<ChangedPathsRead>;
  /** Absent for a forge that does not say of which commit an approval is. */
  approvals?(repository: RepositoryRef, pullRequest: Reviewed): Promise<ReviewsRead>;
  /** Absent for a forge whose environments have no rules. */
  environmentRule?(repository: RepositoryRef, name: string): Promise<EnvironmentRead>;
  /** A file at a git ref; undefined when the ref exists and the file does not. Throws when the ref cannot be read. */
  readFile(repository: RepositoryRef, gitRef: string, path: string): Promise<string | undefined>;
  /** Commit a git branch, tag or id stands for now; undefined when the repository has none such. */
  resolve(repository: RepositoryRef, gitRef: string): Promise<string | undefined>;
  defaultBranch(repository: RepositoryRef): Promise<string>;
  /** Which repository answers at the path: the forge's own id of it, and its path by now. Throws when it cannot be read. */
  identify?(repository: RepositoryRef): Promise<{ readonly id: string; readonly path: string }>;
  clonePoint(repository: RepositoryRef, pullRequest?: Pick<PullRequest, "number" | "headSha">): Promise<ClonePoint>;
  /** Idempotent; edits in place what `handles` name. Returns the handles to keep. */
  announce(
    repository: RepositoryRef,
    pullRequest: Pick<PullRequest, "number" | "headSha">,
    announcement: Announcement,
    handles: AnnouncementHandles,
  ): Promise<AnnouncementHandles>;
  /** The same for a stage's commit, which has no pull request; absent for a forge that has no place for it. */
  announceStage?(
    repository: RepositoryRef,
    announcement: Announcement,
    handles: AnnouncementHandles,
  ): Promise<AnnouncementHandles>;
  /** Calls back with a pull request's number (or without, for "look at all") when something may have changed. */
  watch?(repository: RepositoryRef, onChange: (number?: number) => void, signal: AbortSignal): void;
  readonly commands?: ForgeCommands;
  /** Absent for a forge without logins. */
  readonly people?: ForgePeople;
  /**
   * Sees to it that the forge tells of changes in the repository, where it can be made to, and says how
   * that stands. Idempotent; absent where a person sets that up. Does not reject for an outage.
   */
  ensureWebhook?(repository: RepositoryRef): Promise<ForgeFinding>;
  check?(repository: RepositoryRef): Promise<readonly ForgeFinding[]>;
  /** Whether deliveries can come by now; absent for a forge that is watched. Rejects when the store is away. */
  isCalled?(): Promise<boolean>;
  /** What holds for all its repositories: whether it can call us, and what is left of its limits. */
  checkConnection?(): Promise<readonly ForgeFinding[]>;
  /** Deliveries since then (ISO 8601 UTC) that it could not hand over, oldest first. Throws `StacklingError`. */
  failedDeliveries?(repositories: readonly RepositoryRef[], since: string): Promise<readonly FailedDelivery[]>;
}

export interface ForgeFinding {
  readonly ok: boolean;
  readonly what: string;
  readonly remedy?: string;
}

/** What the service has for a forge, beside its options. */
export interface ForgeGround {
  /** Name of its entry in the config. */
  readonly name: string;
  /** Where Stackling's pages are, without a slash at the end. */
  readonly homeUrl: string;
  /** Credentials that were made for it from the pages; undefined while there are none. Rejects when the store is away. */
  readonly kept: () => Promise<string | undefined>;
  /** Watches what is asked of its API, for the metrics; called once for each credential. */
  readonly watch?: WatchFetch;
  /** Changes them, one replica at a time; see `ForgeCredentialStore`. */
  readonly change: (change: (text: string | undefined) => Promise<string>) => Promise<void>;
}

/** A `fetch` that does the same and is watched. */
export type WatchFetch = (ask: typeof fetch) => typeof fetch;

/** What a forge's file exports. */
export interface ForgeDefinition<O> {
  readonly options: z.ZodType<O>;
  connect(options: O, ground?: ForgeGround): Promise<Forge>;
}
