/** Says on the forge what became of a preview: the newest only, and only what changed. */
import type { Logger } from "pino";
import { mainUrl, pageUrl } from "./addresses.ts";
import { checkDetails } from "./check-details.ts";
import { putReceipts } from "./commands/receipts.ts";
import { renderSummary } from "./comment/summary.ts";
import type { Comments } from "./comments.ts";
import type { OperatorConfig } from "./config/types.ts";
import { digestOf } from "./digest.ts";
import type { Announcement, AnnouncementHandles, Forge, RepositoryRef } from "./forges/forge.ts";
import { checksMarkdown, checksOf } from "./gates/words.ts";
import type { Costs } from "./money/costs.ts";
import { type CostFact, costQuestion, toldSteadily } from "./money/said.ts";
import type { Outcome, Sink } from "./notify.ts";
import { readyEvent } from "./ready-event.ts";
import { rolledBackOf } from "./rollback.ts";
import type { Preview } from "./status.ts";
import type { Store } from "./store/store.ts";

interface Place {
  readonly forge: Forge;
  readonly repository: RepositoryRef;
}

export interface ForgeSinkDeps {
  /** Forge and repository by the repository's name; undefined when it is not configured (any more). */
  readonly forgeFor: (repository: string) => Place | undefined;
  readonly store: Pick<Store, "find" | "update">;
  readonly comments: Pick<Comments, "posted">;
  readonly config: Pick<OperatorConfig, "scheme" | "domain">;
  readonly logger: Pick<Logger, "warn">;
  /** Absent: no word of money. */
  readonly costs?: Pick<Costs, "of">;
  /** ISO 8601 UTC */
  readonly now?: () => string;
}

/** One announcement, with the reactions that people wait for before it; `same` when the forge was not asked to write. */
export function createForgeSink(deps: ForgeSinkDeps): Sink {
  return {
    name: "forge",
    async write(preview) {
      const place = preview.number === undefined ? undefined : deps.forgeFor(preview.repository);
      // The handles in hand may be older than what another replica posted.
      const held = place && (await deps.store.find(preview.key));
      if (!place || !held) return "same";
      const acknowledged = await putReceipts(deps, place, held);
      const said = await say(deps, place, { preview, kept: held.handles });
      return acknowledged ? said : "failed";
    },
  };
}

/** From reading the handles to keeping them. */
async function say(
  deps: ForgeSinkDeps,
  place: Place,
  { preview, kept }: { readonly preview: Preview; readonly kept: AnnouncementHandles },
): Promise<Outcome> {
  const { key, number, status, pullRequest, intents } = preview;
  const headSha = status.headSha ?? pullRequest?.headSha;
  if (!headSha || number === undefined) return "same";
  // A comment on every draft to say that there is nothing would only be noise, unless somebody asked.
  const isQuiet = status.refusedSince !== undefined && intents.commands?.answers === undefined;
  if (isQuiet && kept.announced === undefined) return "same";
  const noted = await notePreviewYaml(place, preview, { headSha, handles: kept });
  const { value, isSame, keep } = await toldSteadily(costQuestion(deps, preview, noted.cost), async (cost) => {
    const made = await announcementOf(deps, { ...preview, handles: noted }, { headSha, cost });
    const mark = digestOf(made);
    return { value: { announcement: made, digest: mark }, isSame: noted.announced === mark };
  });
  const { announcement, digest } = value;
  if (isSame && !noted.failed) return "same";
  const said = isUrgent(announcement, noted) ? ({ ...announcement, urgent: true } as const) : announcement;
  const { heldMs, ...handles } = await place.forge.announce(place.repository, { number, headSha }, said, noted);
  const isHeld = heldMs !== undefined;
  if (handles.failed && !isHeld) {
    deps.logger.warn({ key, failed: handles.failed }, "announcing on the forge failed in part");
  }
  const linked: AnnouncementHandles = isFirstLink(announcement, noted) && !handles.failed ? { linked: headSha } : {};
  await deps.store.update(key, () => ({ handles: { ...handles, ...linked, announced: digest, cost: keep } }));
  if (isHeld) return { heldMs: Number(heldMs) };
  return handles.failed ? "failed" : "written";
}

/** What people wait for: the first word, a commit's first link, a failure, and that it is gone. */
function isUrgent(announcement: Announcement, handles: AnnouncementHandles): boolean {
  const { condition } = announcement;
  const isNews = condition === "Stalled" || condition === "Gone" || handles.announced === undefined;
  return isNews || isFirstLink(announcement, handles);
}

function isFirstLink({ condition, environmentUrl, headSha }: Announcement, { linked }: AnnouncementHandles): boolean {
  return condition === "Ready" && environmentUrl !== undefined && linked !== headSha;
}

async function announcementOf(
  { comments, config: { scheme, domain } }: ForgeSinkDeps,
  preview: Preview,
  { headSha, cost }: { readonly headSha: string; readonly cost: CostFact | undefined },
): Promise<Announcement> {
  const { key, status } = preview;
  const environmentUrl = mainUrl(preview);
  const homeUrl = `${scheme}://${domain}`;
  const page = pageUrl(homeUrl, key);
  const event = readyEvent(preview, { pageUrl: page });
  const checked = checksOf(status, headSha);
  const checks = checked && checksMarkdown(checked);
  const comment = await comments.posted(preview, cost);
  return {
    key,
    condition: status.reason === "Gone" ? "Gone" : status.condition,
    reason: status.reason,
    summary: renderSummary(preview),
    ...(comment === undefined ? {} : { comment }),
    headSha,
    ...(rolledBackOf(preview) ? { rolledBack: true } : {}),
    ...(checks === undefined ? {} : { checks }),
    ...(environmentUrl ? { environmentUrl } : {}),
    logUrl: `${page}#deployments`,
    details: checkDetails(preview, { homeUrl }),
    ...(event ? { event } : {}),
  };
}

/** Whether the head changes `preview.yaml` is asked once a commit and kept with the handles. */
async function notePreviewYaml(
  { forge, repository }: Place,
  { pullRequest }: Preview,
  { headSha, handles }: { headSha: string; handles: AnnouncementHandles },
): Promise<AnnouncementHandles> {
  if (!pullRequest || pullRequest.state === "closed" || handles.previewYaml?.startsWith(headSha)) return handles;
  try {
    const read = (gitRef: string) => forge.readFile(repository, gitRef, "preview.yaml");
    const [head, base] = await Promise.all([read(headSha), read(pullRequest.baseRef)]);
    return { ...handles, previewYaml: `${headSha} ${head === base ? "same" : "changed"}` };
  } catch {
    // Only a note in the comment hangs on it.
    return handles;
  }
}
