/** Says on a stage's commit what became of it there: which version of what serves is seen where people read code. */
import type { Logger } from "pino";
import { isStage, parseKey } from "../../infra/names.ts";
import { mainUrl, pageUrl } from "../addresses.ts";
import type { OperatorConfig } from "../config/types.ts";
import { digestOf } from "../digest.ts";
import type { Announcement, Forge, RepositoryRef } from "../forges/forge.ts";
import type { Sink } from "../notify.ts";
import { rolledBackOf } from "../rollback.ts";
import type { Preview } from "../status.ts";
import type { Store } from "../store/store.ts";
import { promotedWords } from "./promotion.ts";

/** As GitHub's descriptions allow. */
const SUMMARY_MAX = 140;
/** Shown as such where a forge tells production from the rest. */
const PRODUCTION = "production";

export interface StageSinkDeps {
  /** Forge and repository by the repository's name; undefined when it is not configured (any more). */
  readonly forgeFor: (repository: string) => { readonly forge: Forge; readonly repository: RepositoryRef } | undefined;
  readonly store: Pick<Store, "find" | "update">;
  readonly config: Pick<OperatorConfig, "scheme" | "domain">;
  readonly logger: Pick<Logger, "warn">;
}

/** Says nothing of previews, and nothing where the forge has no place for it. */
export function createStageSink({ forgeFor, store, config, logger }: StageSinkDeps): Sink {
  return {
    name: "stage",
    async write(preview) {
      const { key } = preview;
      const place = isStage(key) ? forgeFor(preview.repository) : undefined;
      const held = place?.forge.announceStage && (await store.find(key));
      const announcement = stageAnnouncement(preview, config);
      if (!place?.forge.announceStage || !held || !announcement) return "same";
      const digest = digestOf(announcement);
      if (held.handles.announced === digest && !held.handles.failed) return "same";
      const told = await place.forge.announceStage(place.repository, announcement, held.handles);
      const { heldMs, ...handles } = told;
      if (handles.failed && heldMs === undefined) {
        logger.warn({ key, failed: handles.failed }, "announcing a stage on the forge failed in part");
      }
      await store.update(key, () => ({ handles: { ...handles, announced: digest } }));
      if (heldMs !== undefined) return { heldMs: Number(heldMs) };
      return handles.failed ? "failed" : "written";
    },
  };
}

/** Of the commit that it is meant to serve; undefined before there is one. */
function stageAnnouncement(
  preview: Pick<Preview, "key" | "status" | "intents" | "pullRequest">,
  { scheme, domain }: StageSinkDeps["config"],
): (Announcement & { readonly stage: { readonly name: string; readonly production: boolean } }) | undefined {
  const parsed = parseKey(preview.key);
  const { status, intents } = preview;
  const { headSha } = status;
  if (!parsed || !("stage" in parsed) || headSha === undefined) return undefined;
  const environmentUrl = mainUrl(preview);
  const back = rolledBackOf(preview);
  const isGone = status.reason === "Gone";
  const promoted = intents.promoted?.sha === headSha ? promotedWords(intents.promoted) : undefined;
  const words = back
    ? `${back.sha.slice(0, 7)} serves in its place: rolled back by ${back.by}.`
    : status.condition === "Ready" && promoted !== undefined
      ? promoted
      : status.message;
  return {
    key: preview.key,
    stage: { name: parsed.stage, production: parsed.stage === PRODUCTION },
    // That an older one serves well is no good news of this one.
    condition: isGone ? "Gone" : back && status.condition === "Ready" ? "Stalled" : status.condition,
    reason: back ? "RolledBack" : status.reason,
    summary: cut(words.replaceAll("`", "")),
    headSha,
    ...(environmentUrl === undefined ? {} : { environmentUrl }),
    logUrl: pageUrl(`${scheme}://${domain}`, preview.key),
  };
}

function cut(text: string): string {
  return text.length <= SUMMARY_MAX ? text : `${text.slice(0, SUMMARY_MAX - 1)}…`;
}
