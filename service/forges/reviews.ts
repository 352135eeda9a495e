/** What people's reviews and the rules of environments come to. */

/** Only `found` is evidence, as of a pull request. */
export type ReviewsRead =
  | {
      readonly kind: "found";
      /** Approving ones of exactly the head that still hold, by people who may write; `at`: ISO 8601 UTC. */
      readonly approvals: readonly { readonly login: string; readonly at: string }[];
      /** Logins of who wrote the head and of who pushed it, as far as the forge tells. */
      readonly madeBy: readonly string[];
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

/** Nothing of one that only comments, is asked for or not sent yet. */
export function reviewSeen(review: {
  readonly login: string | undefined;
  readonly verdict: ReviewSeen["verdict"] | undefined;
  readonly sha: string | null | undefined;
  readonly at: string | null | undefined;
}): readonly ReviewSeen[] {
  const { login, verdict, sha, at } = review;
  if (login === undefined || !verdict || !at || Number.isNaN(Date.parse(at))) return [];
  return [{ login, verdict, sha: sha ?? undefined, at: new Date(at).toISOString() }];
}

/** Approvals of exactly that commit, by people who may write and have not said otherwise since. `reviews` come oldest first. */
export async function approvalsOf(
  reviews: readonly ReviewSeen[],
  headSha: string,
  mayWrite: (login: string) => Promise<boolean>,
): Promise<readonly { readonly login: string; readonly at: string }[]> {
  const last = new Map(reviews.map((review) => [review.login.toLowerCase(), review]));
  const approving = [...last.values()].filter(({ verdict, sha }) => verdict === "approved" && sha === headSha);
  const asked = approving.map(async ({ login, at }) => ((await mayWrite(login)) ? [{ login, at }] : []));
  return (await Promise.all(asked)).flat();
}
