/** Asks the forge what a repository's rule of approvals needs to know of one head. */
import type { ApprovalRead } from "./approval.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import type { Forge, PullRequest } from "./forges/forge.ts";
import { refOf } from "./subject.ts";

/** Undefined where no rule asks for it. */
export async function readApproval(
  forge: Forge,
  repository: RepositoryConfig,
  pullRequest: PullRequest,
): Promise<ApprovalRead | undefined> {
  const { approval: rule } = repository;
  if (!rule || pullRequest.state === "closed") return undefined;
  const { required, environment: name } = rule;
  const [reviews, environment] = await Promise.all([
    required > 0 || name !== undefined ? forge.approvals?.(refOf(repository), pullRequest) : undefined,
    name === undefined ? undefined : forge.environmentRule?.(refOf(repository), name),
  ]);
  if (reviews?.kind === "unreachable") return reviews;
  if (environment?.kind === "unreachable") return environment;
  if (name !== undefined && !environment) {
    return { kind: "unreachable", message: `the forge of "${repository.path}" has no environments with rules` };
  }
  return {
    kind: "found",
    reviews: (reviews?.approvals ?? []).map(({ login, at }) => ({ by: `@${login}`, at })),
    madeBy: (reviews?.madeBy ?? []).map((login) => `@${login}`),
    ...(environment ? { environment: environment.rule } : {}),
  };
}
