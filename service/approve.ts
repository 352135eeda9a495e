import { StacklingError, TerminalError } from "../components/errors.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import { noSuchPreview } from "./drift/compare.ts";
import type { Forge } from "./forges/forge.ts";
import type { Store } from "./store/store.ts";
import { refOf } from "./subject.ts";
import { approvalProblem, distrustOf, type Isolation, strangersRefusal } from "./trust.ts";

export interface ApproveDeps {
  readonly store: Pick<Store, "find" | "updateAndNote" | "enqueue">;
  readonly repositories: () => Promise<readonly RepositoryConfig[]>;
  readonly forge: (name: string) => Forge | undefined;
  /** Undefined: no target keeps previews apart. */
  readonly isolationOf?: (target: string) => Isolation;
  readonly now: () => string;
}

export interface ApprovalWish {
  /** The whole id of the commit that may run. */
  readonly sha: string;
  readonly by: string;
}

/**
 * Lets one commit of a fork's or an outsider's pull request run. The forge is asked for its head, so that who
 * approves an older one is told so; the policy compares again at every look. Throws `TerminalError`
 * (`NotApproved`) with the reason, `StacklingError` (`Unreachable`) when the forge does not answer.
 */
export async function approve(deps: ApproveDeps, key: string, { sha, by }: ApprovalWish): Promise<void> {
  const { store, now } = deps;
  const preview = await store.find(key);
  if (!preview) throw noSuchPreview(key);
  const doing = `approving commit "${sha.slice(0, 7)}" of "${key}"`;
  const refuse = (why: string) => new TerminalError({ reason: "NotApproved", userMessage: `${doing}: ${inLine(why)}` });
  if (preview.number === undefined) throw refuse("It needs no approval: it was made by hand.");
  const repository = (await deps.repositories()).find(({ name }) => name === preview.repository);
  const forge = repository && deps.forge(repository.forge);
  if (!repository || !forge) throw refuse("Its repository is not configured.");
  const read = await forge.read(refOf(repository), preview.number);
  if (read.kind !== "found") {
    throw new StacklingError({ reason: "Unreachable", userMessage: `${doing}: ${read.message}` });
  }
  const { pullRequest } = read;
  if (pullRequest.state === "closed") throw refuse("The pull request is closed.");
  const { headSha } = pullRequest;
  const barred = strangersRefusal(repository, deps.isolationOf?.(repository.target) ?? "together");
  const problem = approvalProblem(sha, { headSha, distrust: distrustOf(pullRequest), barred });
  if (problem !== undefined) throw refuse(problem);
  const at = now();
  await store.updateAndNote(key, ({ intents }) => ({
    // Whoever lets the head run wants to see it run.
    fields: { intents: { ...intents, approved: { sha, by, at }, rolledBack: undefined } },
    history: [{ at, reason: "Approved", message: `Commit ${sha.slice(0, 7)} may run, by ${by}.`, headSha: sha }],
  }));
  await store.enqueue([key]);
}

/** A sentence for a comment as the end of an error message. */
function inLine(sentence: string): string {
  const plain = sentence.replaceAll("`", '"').replace(/\.$/, "");
  return `${plain.slice(0, 1).toLowerCase()}${plain.slice(1)}`;
}
