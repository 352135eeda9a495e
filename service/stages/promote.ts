/** What a person may ask for of a stage alone, and what of a preview's verbs a stage refuses. */
import { TerminalError } from "../../components/errors.ts";
import { formatKey, isStage, parseKey } from "../../infra/names.ts";
import { type AdoptDeps, adopt } from "../adopt.ts";
import type { RepositoryConfig } from "../config/repository-types.ts";
import type { StageConfig } from "../config/stages.ts";
import type { Preview } from "../status.ts";
import type { Store } from "../store/store.ts";
import {
  type Answered,
  promotionApproved,
  promotionAsked,
  promotionCancelled,
  type ShownPromotion,
} from "./promotion.ts";
import { repositoryFor } from "./stage.ts";

export interface StageActions {
  /**
   * Asks for a promotion to the stage of that key, of exactly what the stage before it serves now.
   *
   * @param asked.from Stage before it, where who asks says so
   * @param asked.sha Commit that was shown to who asks: refused where another serves by now
   */
  promote(key: string, asked: { readonly from?: string; readonly sha?: string }, by: string): Promise<void>;
  /**
   * Of that commit alone.
   *
   * @param asked.at when the promotion that was shown was asked for: refused where it is another one by now
   */
  approvePromotion(key: string, asked: { readonly sha: string; readonly at?: string }, by: string): Promise<void>;
  /** Refused where another one waits by now than `shown`. */
  cancelPromotion(key: string, shown: ShownPromotion, by: string): Promise<void>;
}

export interface PromoteDeps extends AdoptDeps {
  readonly store: Pick<Store, "find" | "create" | "updateAndNote" | "enqueue">;
  readonly repositories: () => Promise<readonly RepositoryConfig[]>;
  readonly now: () => string;
}

/** Each resolves when the wish is stored; `TerminalError` says why not. */
export function createStageActions(deps: PromoteDeps): StageActions {
  const { store, now } = deps;

  async function change(
    key: string,
    { doing, by }: { readonly doing: string; readonly by: string },
    answer: (target: Preview, stage: StageConfig) => Answered,
  ): Promise<void> {
    const stage = await stageOf(deps, key, doing);
    const draft = (await store.find(key)) ? undefined : await adopt(deps, key, now());
    if (draft) await store.create(draft);
    const at = now();
    await store.updateAndNote(key, (target) => {
      const answered = answer(target, stage);
      if (answered.problem !== undefined) throw refused(doing, key, answered.problem);
      const { intents, sha } = answered;
      if (Object.keys(intents).length === 0) return { fields: {}, history: [] };
      const message = `${doing} by ${by}: ${answered.answer.replaceAll("`", "")}.`;
      return {
        fields: { intents: { ...target.intents, ...intents } },
        history: [{ at, reason: "Promotion", message: capital(message), headSha: sha }],
      };
    });
    await store.enqueue([key]);
  }

  return {
    async promote(key, { from, sha }, by) {
      const doing = "promoting";
      const stage = await stageOf(deps, key, doing);
      if (from !== undefined && stage.from !== undefined && from !== stage.from) {
        throw refused(doing, key, `it takes over from "${stage.from}", not from "${from}"`);
      }
      const before = stage.from === undefined ? undefined : formatKey({ ...nameOf(key), stage: stage.from });
      const source = before === undefined ? undefined : await store.find(before);
      const serves = source?.status.live?.source.commit;
      if (sha !== undefined && serves !== sha) {
        throw refused(
          doing,
          key,
          `"${stage.from}" serves ${serves?.slice(0, 7) ?? "nothing"} now, not ${sha.slice(0, 7)}`,
        );
      }
      await change(key, { doing, by }, (target, to) =>
        promotionAsked(target, { stage: to, source }, { by, now: now() }),
      );
    },
    approvePromotion: (key, asked, by) =>
      change(key, { doing: "approving the promotion", by }, (target, stage) =>
        promotionApproved(target, stage, { ...asked, by, now: now() }),
      ),
    cancelPromotion: (key, shown, by) =>
      change(key, { doing: "cancelling the promotion", by }, (target) => promotionCancelled(target, shown)),
  };
}

/** Throws for what would end a stage, or empty its database: those are there for what comes and goes. */
export function refuseOfStage(key: string, doing: string): void {
  if (!isStage(key)) return;
  const why = {
    keeping: "a stage stays in any case",
    extending: "a stage stays in any case",
    "resetting the database of":
      "a stage's database is never made anew; `down --confirm` and `redeploy` do that, and what is in it is lost",
    seeding: 'a stage is seeded once, where its configuration says "seed: true", and then no more',
  }[doing];
  if (why !== undefined) throw refused(doing, key, why);
}

/** Nobody takes a stage down by a slip of the hand. */
export function requireConfirmation(key: string, confirmed: boolean): void {
  if (confirmed || !isStage(key)) return;
  throw new TerminalError({
    reason: "ConfirmationNeeded",
    userMessage: `taking down "${key}": it is a stage, and goes with its database and all that is in it; confirm that (\`stackling down ${key} --confirm\`)`,
  });
}

/** Also while the stage is in no config any more, so that what waits for it says why. */
async function stageOf(deps: PromoteDeps, key: string, doing: string): Promise<StageConfig> {
  const { repository } = nameOf(key);
  const found = (await deps.repositories()).find(({ name }) => name === repository);
  const stage = repositoryFor(found, key)?.stage;
  if (stage) return stage;
  if (!isStage(key)) throw refused(doing, key, "it is no stage");
  const known = Object.keys(found?.stages ?? {});
  const there = known.length > 0 ? `; "${repository}" has ${known.join(", ")}` : `; "${repository}" has none`;
  throw refused(doing, key, `there is no such stage in the configuration${there}`);
}

function nameOf(key: string): { readonly repository: string } {
  return { repository: parseKey(key)?.repository ?? key };
}

function refused(doing: string, key: string, why: string): TerminalError {
  return new TerminalError({
    reason: "PromotionRefused",
    userMessage: `${doing} "${key}": ${why.replaceAll("`", '"')}`,
  });
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
