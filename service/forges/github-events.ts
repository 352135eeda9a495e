/** Events of GitHub that only hint at what may have changed, and those by which a check is asked for again. */
import { z } from "zod";
import type { VerifiedDelivery } from "./forge.ts";

const MOST = 100;

const repository = z.object({ full_name: z.string().min(1), id: z.int().positive() });
const number = z.int().positive();
/** Of a fork's branch also those of the repository it was forked from, and the other way round. */
const pullRequests = z
  .array(z.object({ number, base: z.object({ repo: z.object({ id: number }) }).optional() }))
  .default([]);
const sender = z.object({ login: z.string().min(1).max(100) });

/** Source: GitHub docs, "Webhook events and payloads": `check_run`, `check_suite`. Only the App that made a run is told. */
const rerun = z.object({
  action: z.enum(["rerequested", "requested_action"]),
  requested_action: z.object({ identifier: z.literal("redeploy") }).optional(),
  check_run: z.object({ external_id: z.string().nullish(), pull_requests: pullRequests }).optional(),
  check_suite: z.object({ pull_requests: pullRequests }).optional(),
  repository,
  sender,
});

const hints = {
  /** Created, deleted, renamed, transferred, archived: what holds now is read. */
  repository: z.object({ repository }).transform((told) => [told.repository]),
  /** Previews by hand may stand on it. */
  delete: z.object({ ref_type: z.literal("branch"), repository }).transform((told) => [told.repository]),
  installation: z
    .object({ repositories: z.array(repository).default([]) })
    .transform(({ repositories }) => repositories),
  installation_repositories: z
    .object({
      repositories_added: z.array(repository).default([]),
      repositories_removed: z.array(repository).default([]),
    })
    .transform((told) => [...told.repositories_added, ...told.repositories_removed]),
} as const;

type Told = Pick<VerifiedDelivery, "pullRequest" | "concerns" | "rerunBy">;

/** Nothing for an event of another kind or shape: whoever sends it may add new ones. */
export function hinted(event: string, json: unknown): Told {
  if (event === "check_run" || event === "check_suite") return asked(json);
  if (!isHint(event)) return {};
  const found = hints[event].safeParse(json).data ?? [];
  const concerns = found
    .slice(0, MOST)
    .map(({ full_name, id }) => ({ repositoryPath: full_name, repositoryId: String(id) }));
  return concerns.length > 0 ? { concerns } : {};
}

/** The run bears the preview's key; a suite, and what others made, only the pull requests of its own repository. */
function asked(json: unknown): Told {
  const { success, data } = rerun.safeParse(json);
  if (!success || (data.action === "requested_action" && !data.requested_action)) return {};
  const { check_run: run, check_suite: suite } = data;
  const [, ofKey] = /#([1-9]\d{0,9})$/.exec(run?.external_id ?? "") ?? [];
  const own = (run ?? suite)?.pull_requests.find(({ base }) => base?.repo.id === data.repository.id);
  const found = ofKey === undefined ? own?.number : Number(ofKey);
  if (found === undefined) return {};
  return {
    pullRequest: { repositoryPath: data.repository.full_name, number: found },
    rerunBy: data.sender.login,
  };
}

function isHint(event: string): event is keyof typeof hints {
  return Object.hasOwn(hints, event);
}
