/** What API and page say of a promotion that waits. Pure. */
import type { PreviewView } from "../api/preview-view.ts";
import type { RepositoryConfig } from "../config/repository-types.ts";
import type { Preview } from "../status.ts";
import { waitWords } from "./promotion.ts";
import { repositoryFor } from "./stage.ts";

export function promotionExtra(
  repositories: readonly RepositoryConfig[],
  { key, repository, intents: { promotion } }: Pick<Preview, "key" | "repository" | "intents">,
  now: string,
): Pick<PreviewView, "promotion"> {
  const found = repositories.find(({ name }) => name === repository);
  const stage = repositoryFor(found, key)?.stage;
  if (!promotion || !stage) return {};
  const waitsFor = waitWords(promotion, stage, now)?.replaceAll("`", "");
  return { promotion: { ...promotion, ...(waitsFor === undefined ? {} : { waitsFor }) } };
}
