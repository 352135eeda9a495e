/**
 * Writes down when pull requests were opened and merged, with a preview or without, from what is read of the forge
 * anyway. One that was closed without anybody telling is read for itself: a request for each.
 */
import type { Logger } from "pino";
import { formatKey } from "../../infra/names.ts";
import type { PullRequest } from "../forges/forge.ts";
import { MERGED_KEPT_DAYS, type PullRequestStore } from "./store.ts";

export interface PullRequestLog {
  /** What a repository's list shows; resolves with keys to be read, which it showed before. Never rejects. */
  listed(repository: string, open: readonly PullRequest[]): Promise<readonly string[]>;
  /** What was read of one. Never rejects. */
  read(repository: string, pullRequest: PullRequest): Promise<void>;
}

/** A pull request of a person that was merged, told once over all replicas. */
export interface MergeSeen {
  readonly repository: string;
  readonly previewed: boolean;
  readonly leadSeconds: number;
}

export interface PullRequestLogDeps {
  readonly store: PullRequestStore;
  readonly onMerged: (merge: MergeSeen) => void;
  /** ISO 8601 UTC */
  readonly now: () => string;
  readonly logger: Pick<Logger, "warn">;
}

const DAY_MS = 86_400_000;

export function createPullRequestLog({ store, onMerged, now, logger }: PullRequestLogDeps): PullRequestLog {
  const openOf = (repository: string, { number, createdAt: openedAt, bot }: PullRequest) => ({
    key: formatKey({ repository, number }),
    openedAt,
    bot,
  });

  async function readOne(repository: string, pullRequest: PullRequest): Promise<void> {
    const { state, merged, mergedAt, bot } = pullRequest;
    if (state === "open") return;
    const pull = openOf(repository, pullRequest);
    const oldest = Date.parse(now()) - MERGED_KEPT_DAYS * DAY_MS;
    if (!merged || mergedAt === undefined || Date.parse(mergedAt) < oldest) return store.pullDropped(pull.key);
    const noted = await store.pullMerged({ ...pull, repository, mergedAt });
    if (!noted || bot) return;
    const leadSeconds = Math.max(0, Date.parse(mergedAt) - Date.parse(pull.openedAt)) / 1000;
    onMerged({ repository, previewed: noted.previewed, leadSeconds });
  }

  return {
    async listed(repository, open) {
      try {
        const pulls = open.filter(({ state }) => state === "open").map((one) => openOf(repository, one));
        return await store.pullsListed(repository, pulls, now());
      } catch (error) {
        logger.warn({ err: error, repository }, "pull requests could not be written down; the next resync does it");
        return [];
      }
    },
    async read(repository, pullRequest) {
      try {
        await readOne(repository, pullRequest);
      } catch (error) {
        const key = formatKey({ repository, number: pullRequest.number });
        logger.warn({ err: error, key }, "a merge could not be written down; the next resync does it");
      }
    },
  };
}
