/** What a stage does without anybody asking again: takes over what was promoted to it, and goes back from what failed. */
import type { AuditNote } from "../audit.ts";
import type { StageConfig } from "../config/stages.ts";
import { isOfCommit } from "../decide.ts";
import type { Intents } from "../intents.ts";
import { isPaused } from "../pauses.ts";
import { headOf } from "../policy.ts";
import { rolledBackTo, wishedCommit } from "../rollback.ts";
import type { Preview } from "../status.ts";
import type { Store } from "../store/store.ts";
import { type Look, type WishDeps, wishFor } from "../wish.ts";
import { promotedWords, promotionDone } from "./promotion.ts";

/** Who goes back from a version that failed: nobody asked for it. */
const ITSELF = "itself";

export interface MoveDeps extends WishDeps {
  readonly store: Pick<Store, "updateAndNote">;
}

interface Move {
  readonly intents: Partial<Intents>;
  readonly reason: "Promoted" | "RolledBack";
  readonly message: string;
  readonly sha: string;
}

/** True when something changed, so that the stage is to be read anew. While everything is stopped, nothing does. */
export async function moveStage(deps: MoveDeps, look: Look): Promise<boolean> {
  const stage = look.repository?.stage;
  if (!stage || !look.known || isPaused(look.pauses, deps.now())) return false;
  const moveOf = (preview: Look["preview"]) => promoted(preview, stage, deps.now()) ?? wentBack(deps, look, preview);
  if (!moveOf(look.preview)) return false;
  const at = deps.now();
  let isDone = false;
  await deps.store.updateAndNote(look.preview.key, (preview) => {
    // Cancelled meanwhile, perhaps.
    const move = moveOf(preview);
    if (!move) return { fields: {}, history: [] };
    isDone = true;
    const { intents, reason, message, sha: headSha } = move;
    return {
      fields: { intents: { ...preview.intents, ...intents } },
      history: [{ at, reason, message, headSha }],
      audit: [{ ...auditOf(move), at, key: preview.key }],
    };
  });
  return isDone;
}

function auditOf({ reason, message }: Move): AuditNote {
  const action = reason === "Promoted" ? "promote" : "rollback";
  return { actor: "stackling", action, detail: message, via: "service", outcome: "done" };
}

function promoted(preview: Pick<Preview, "intents">, stage: StageConfig, now: string): Move | undefined {
  const done = promotionDone(preview.intents, stage, now);
  if (!done) return undefined;
  return { intents: done.intents, reason: "Promoted", message: promotedWords(done.promoted), sha: done.promoted.sha };
}

/** Only from a commit that never served: where one fails that did, an older one would be no better. */
function wentBack(deps: WishDeps, look: Look, preview: Look["preview"]): Move | undefined {
  const { intents, status } = preview;
  const { attempted, served = [] } = status;
  const head = headOf(look.subject);
  const reason = attempted?.ok === false ? attempted.failure?.reason : undefined;
  const isMeant = look.repository?.stage?.onFailure === "rollback" && head !== undefined && head === status.headSha;
  if (!isMeant || reason === undefined || !isOfCommit(reason)) return undefined;
  const wished = wishedCommit(intents, head);
  if (served.some(({ sha }) => sha === wished)) return undefined;
  const { desired } = wishFor(deps, look, preview);
  if (desired.kind !== "present" || desired.digest !== attempted?.digest) return undefined;
  const back = rolledBackTo(preview, {}, { by: ITSELF, now: deps.now(), head });
  if (back.problem !== undefined || back.sha === wished) return undefined;
  const message = `${wished.slice(0, 7)} failed (${reason}: ${attempted.failure?.message ?? ""}); it goes back to ${back.sha.slice(0, 7)} by itself.`;
  return { intents: back.intents, reason: "RolledBack", message, sha: back.sha };
}
