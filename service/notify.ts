/** Says on the forge what became of a preview: the newest only, only what changed, and never so that a reconcile fails. */
import { createHash } from "node:crypto";
import type { Logger } from "pino";
import { putReceipts } from "./commands/receipts.ts";
import { mainUrl, renderComment, renderSummary } from "./comment.ts";
import type { OperatorConfig } from "./config/types.ts";
import { detailHref } from "./dashboard/listing.ts";
import type { Announcement, AnnouncementHandles, Forge, RepositoryRef } from "./forges/forge.ts";
import { rolledBackOf } from "./rollback.ts";
import type { Preview } from "./status.ts";
import type { Store } from "./store/store.ts";

/** Least time between two writes for one preview whose condition and reason stayed the same, and that nobody commanded. */
const QUIET_MS = 5_000;
/** A write that failed is tried again by itself, for nobody may look at the preview for days: for an hour, then with the next announcement. */
const RETRY = { firstMs: 15_000, capMs: 600_000, times: 10 };

interface Place {
  readonly forge: Forge;
  readonly repository: RepositoryRef;
}

export interface NotifierDeps {
  /** Forge and repository by the repository's name; undefined when it is not configured (any more). */
  readonly forgeFor: (repository: string) => Place | undefined;
  readonly store: Pick<Store, "find" | "update">;
  readonly config: Pick<OperatorConfig, "comments" | "scheme" | "domain" | "fallbackUrl">;
  readonly logger: Pick<Logger, "warn">;
  readonly quietMs?: number;
  /** Before the first retry; doubled each time. */
  readonly retryMs?: number;
}

export interface Notifier {
  /**
   * Takes note that a preview changed and returns at once; the write follows behind. Never rejects:
   * what failed is said again after a while and with the next announcement.
   */
  announce(preview: Preview): Promise<void>;
  /** Resolves when nothing is left to be written; what waits for its time is written now. */
  settled(): Promise<void>;
}

interface Line {
  /** Newest preview that was not looked at yet. */
  next: Preview | undefined;
  running: Promise<void> | undefined;
  /** What was written last, and when. */
  last: { readonly state: string; readonly atMs: number } | undefined;
  wake: (() => void) | undefined;
  /** Writes that failed since the last that did not. */
  failures: number;
}

/** Write and remember; one writer per preview, many previews at once. */
export function createNotifier(deps: NotifierDeps): Notifier {
  const lines = new Map<string, Line>();
  const { quietMs = QUIET_MS, retryMs = RETRY.firstMs } = deps;
  let hurried = 0;

  const run = async (line: Line) => {
    while (line.next) {
      const waitMs = line.last ? line.last.atMs + quietMs - performance.now() : 0;
      if (waitMs > 0 && stateOf(line.next) === line.last?.state && hurried === 0) {
        await pause(line, waitMs);
        continue;
      }
      const preview = line.next;
      line.next = undefined;
      const outcome = await write(deps, preview);
      if (outcome === "written") line.last = { state: stateOf(preview), atMs: performance.now() };
      line.failures = outcome === "failed" ? line.failures + 1 : 0;
      if (outcome !== "failed" || line.failures > RETRY.times || hurried > 0) continue;
      line.next ??= preview;
      await pause(line, Math.min(retryMs * 2 ** (line.failures - 1), RETRY.capMs));
    }
    line.running = undefined;
  };

  return {
    async announce(preview) {
      if (preview.number === undefined) return;
      const line = lines.get(preview.key) ?? newLine();
      lines.set(preview.key, line);
      line.next = preview;
      if (stateOf(preview) !== line.last?.state) line.wake?.();
      line.running ??= run(line);
    },
    async settled() {
      hurried++;
      try {
        for (const line of lines.values()) line.wake?.();
        await Promise.all([...lines.values()].map((line) => line.running));
      } finally {
        hurried--;
      }
    },
  };
}

function newLine(): Line {
  return { next: undefined, running: undefined, last: undefined, wake: undefined, failures: 0 };
}

type Outcome = "written" | "same" | "failed";

/** One announcement, with the reactions that people wait for before it; `same` when the forge was not asked to write. */
async function write(deps: NotifierDeps, preview: Preview): Promise<Outcome> {
  const { key } = preview;
  try {
    const place = deps.forgeFor(preview.repository);
    // The handles in hand may be older than what another replica posted.
    const held = await deps.store.find(key);
    if (!place || !held) return "same";
    const acknowledged = await putReceipts(deps, place, held);
    const said = await say(deps, place, { preview, kept: held.handles });
    return acknowledged ? said : "failed";
  } catch (error) {
    deps.logger.warn({ key, err: error }, "announcing on the forge failed");
    return "failed";
  }
}

/** From reading the handles to keeping them. */
async function say(
  deps: NotifierDeps,
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
  const announcement = announcementOf(deps.config, { ...preview, handles: noted }, headSha);
  const digest = digestOf(announcement);
  if (noted.announced === digest && !noted.failed) return "same";
  const handles = await place.forge.announce(place.repository, { number, headSha }, announcement, noted);
  if (handles.failed) deps.logger.warn({ key, failed: handles.failed }, "announcing on the forge failed in part");
  await deps.store.update(key, () => ({ handles: { ...handles, announced: digest } }));
  return handles.failed ? "failed" : "written";
}

function announcementOf(
  { comments, scheme, domain, fallbackUrl }: NotifierDeps["config"],
  preview: Preview,
  headSha: string,
): Announcement {
  const { key, status } = preview;
  const environmentUrl = mainUrl(preview);
  return {
    key,
    condition: status.reason === "Gone" ? "Gone" : status.condition,
    reason: status.reason,
    summary: renderSummary(preview),
    ...(comments ? { comment: renderComment(preview, { fallbackUrl }) } : {}),
    headSha,
    ...(rolledBackOf(preview) ? { rolledBack: true } : {}),
    ...(environmentUrl ? { environmentUrl } : {}),
    logUrl: `${scheme}://${domain}${detailHref(key)}`,
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

function pause(line: Line, waitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      line.wake = undefined;
      resolve();
    };
    const timer = setTimeout(done, waitMs);
    timer.unref();
    line.wake = done;
  });
}

/** Whoever gave a command waits for its answer, as people do for a new condition. */
function stateOf({ status, intents }: Preview): string {
  return `${status.condition} ${status.reason} ${intents.commands?.last?.id ?? ""}`;
}

function digestOf(announcement: Announcement): string {
  return createHash("sha256").update(JSON.stringify(announcement)).digest("hex").slice(0, 16);
}
