/**
 * The port to a forge. It reads pull requests and says what became of a preview; it decides nothing.
 * A forge's name for itself, its payloads and the texts of its errors stay in its one file.
 */
import type { z } from "zod";

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
  readonly headSha: string;
  readonly headRef: string;
  readonly baseRef: string;
  readonly url?: string;
  /** ISO 8601 UTC */
  readonly createdAt: string;
  readonly updatedAt: string;
}

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
 * or a partial answer is `unreachable` (DESIGN §3 rule 2).
 */
export type PullRequestRead =
  | { readonly kind: "found"; readonly pullRequest: PullRequest }
  | { readonly kind: "unreachable"; readonly message: string };

export type ListRead =
  | { readonly kind: "found"; readonly pullRequests: readonly PullRequest[] }
  | { readonly kind: "unreachable"; readonly message: string };

/** What is announced on the pull request. The forge turns it into whatever it has. */
export interface Announcement {
  readonly key: string;
  readonly condition: "Ready" | "Reconciling" | "Stalled" | "Gone";
  readonly reason: string;
  /** At most 140 characters, as GitHub's deployment description allows. */
  readonly summary: string;
  /** The one sticky comment, in Markdown; undefined when comments are switched off. */
  readonly comment?: string;
  readonly headSha: string;
  readonly environmentUrl?: string;
  readonly logUrl?: string;
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
  /** Repository whose default branch was pushed to: a hint, which is not stored. */
  readonly pushedTo?: string;
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
  /** A file at a git ref; undefined when the ref exists and the file does not. Throws when the ref cannot be read. */
  readFile(repository: RepositoryRef, gitRef: string, path: string): Promise<string | undefined>;
  /** Commit a git branch, tag or id stands for now; undefined when the repository has none such. */
  resolve(repository: RepositoryRef, gitRef: string): Promise<string | undefined>;
  defaultBranch(repository: RepositoryRef): Promise<string>;
  clonePoint(repository: RepositoryRef, pullRequest?: Pick<PullRequest, "number" | "headSha">): Promise<ClonePoint>;
  /** Idempotent; edits in place what `handles` name. Returns the handles to keep. */
  announce(
    repository: RepositoryRef,
    pullRequest: Pick<PullRequest, "number" | "headSha">,
    announcement: Announcement,
    handles: AnnouncementHandles,
  ): Promise<AnnouncementHandles>;
  /** Calls back with a pull request's number (or without, for "look at all") when something may have changed. */
  watch?(repository: RepositoryRef, onChange: (number?: number) => void, signal: AbortSignal): void;
  check?(
    repository: RepositoryRef,
  ): Promise<readonly { readonly ok: boolean; readonly what: string; readonly remedy?: string }[]>;
}

/** What a forge's file exports. */
export interface ForgeDefinition<O> {
  readonly options: z.ZodType<O>;
  connect(options: O): Promise<Forge>;
}
