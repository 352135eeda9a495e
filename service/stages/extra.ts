/** What API and page say of a stage that is promoted to: what waits, and what may come. */
import { formatKey } from "../../infra/names.ts";
import type { PreviewView } from "../api/preview-view.ts";
import type { RepositoryConfig } from "../config/repository-types.ts";
import type { Preview } from "../status.ts";
import type { Store } from "../store/store.ts";
import { promotionAsked, waitWords } from "./promotion.ts";
import { repositoryFor } from "./stage.ts";

export interface StageExtraDeps {
  readonly store: Pick<Store, "find">;
  readonly repositories: readonly RepositoryConfig[];
  readonly now: () => string;
}

/** Nothing for a preview, and for a stage that follows a branch. */
export async function stageExtra(
  { store, repositories, now }: StageExtraDeps,
  preview: Pick<Preview, "key" | "repository" | "intents" | "status">,
): Promise<Pick<PreviewView, "promotion" | "promotable">> {
  const { key, repository, intents } = preview;
  const found = repositories.find(({ name }) => name === repository);
  const stage = repositoryFor(found, key)?.stage;
  if (stage?.from === undefined) return {};
  const { promotion } = intents;
  const at = now();
  if (promotion) {
    const waitsFor = waitWords(promotion, stage, at)?.replaceAll("`", "");
    return { promotion: { ...promotion, ...(waitsFor === undefined ? {} : { waitsFor }) } };
  }
  const source = await store.find(formatKey({ repository, stage: stage.from }));
  const asked = promotionAsked(preview, { stage, source }, { by: "", now: at });
  const { from } = stage;
  if (asked.problem !== undefined) return { promotable: { from, problem: `${asked.problem.replaceAll("`", "")}.` } };
  return { promotable: { from, sha: asked.sha } };
}
