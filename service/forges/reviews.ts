/** What people's reviews and the rules of environments come to. */

/** Only `found` is evidence, as of a pull request. */
export type ReviewsRead =
  | {
      readonly kind: "found";
      /** Approving ones of exactly the head that still hold, by people who may write; `at`: ISO 8601 UTC. */
      readonly approvals: readonly { readonly login: string; readonly at: string }[];
    }
  | { readonly kind: "unreachable"; readonly message: string };

/** What an environment of the forge asks for before something is deployed to it. */
export interface EnvironmentRule {
  /** One of these must approve, as `@login`; undefined: nobody need. */
  readonly reviewers?: readonly string[];
  /** Whether who asks may approve it too. */
  readonly own: boolean;
  readonly waitSeconds: number;
}

export type EnvironmentRead =
  | { readonly kind: "found"; readonly rule: EnvironmentRule }
  | { readonly kind: "unreachable"; readonly message: string };

/** Of each person the last that says yes or no counts. */
export interface ReviewSeen {
  readonly login: string;
  readonly verdict: "approved" | "refused" | "dismissed";
  /** The commit that was looked at; undefined where the forge does not know it any more. */
  readonly sha: string | undefined;
  /** ISO 8601 UTC */
  readonly at: string;
}

/** Approvals of exactly that commit, by people who have not said otherwise since. `reviews` come oldest first. */
export function approvalsOf(reviews: readonly ReviewSeen[], headSha: string): readonly ReviewSeen[] {
  const last = new Map(reviews.map((review) => [review.login.toLowerCase(), review]));
  return [...last.values()].filter(({ verdict, sha }) => verdict === "approved" && sha === headSha);
}
