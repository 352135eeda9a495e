import { StacklingError, TerminalError } from "../components/errors.ts";
import { approvedBy, asksPersons, personProblem } from "./approval.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import { noSuchPreview } from "./drift/compare.ts";
import type { Forge } from "./forges/forge.ts";
import type { Approval } from "./intents.ts";
import { linkDistrust, linkedCommits } from "./linked/links.ts";
import type { Store } from "./store/store.ts";
import { refOf } from "./subject.ts";
import { approvalProblem, distrustOf, type Isolation, linkedProblem, linksProblem, strangersRefusal } from "./trust.ts";

export interface ApproveDeps {
  readonly store: Pick<Store, "find" | "updateAndNote" | "enqueue">;
  readonly repositories: () => Promise<readonly RepositoryConfig[]>;
  readonly forge: (name: string) => Forge | undefined;
  /** Where people log in to the pages, by its name in the config; undefined: at no forge. */
  readonly loginForge?: string;
  /** Undefined: no target keeps previews apart. */
  readonly isolationOf?: (target: string) => Isolation;
  readonly now: () => string;
}

export interface ApprovalWish {
  /** The whole id of the commit that may run. */
  readonly sha: string;
  /** Heads of linked pull requests that were shown with it, by their keys; undefined: it is not known which were. */
  readonly linked?: Readonly<Record<string, string>> | undefined;
  readonly by: string;
}

/**
 * Somebody's word for one commit: it lets that of a fork's or an outsider's pull request run, and counts for the rule. The
 * forge is asked for its head, so that who approves an older one is told so; the policy compares again at every look. Throws `TerminalError`
 * (`NotApproved`) with the reason, `StacklingError` (`Unreachable`) when the forge does not answer.
 */
export async function approve(
  deps: ApproveDeps,
  key: string,
  { sha, linked: shown, by: caller }: ApprovalWish,
): Promise<void> {
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
  const { headSha, previewWith = [] } = pullRequest;
  const by = nameAt(repository, caller, deps.loginForge);
  const barred = strangersRefusal(repository, deps.isolationOf?.(repository.target) ?? "together");
  const distrust = distrustOf(pullRequest) ?? linkDistrust(preview.status.links);
  const byRule = asksPersons(repository);
  const unread = preview.status.reason === "Unreachable" && previewWith.length > 0;
  const told = byRule ? await forge.approvals?.(refOf(repository), pullRequest) : undefined;
  const makers = told?.kind === "found" ? told.madeBy.map((login) => `@${login}`) : [];
  const problem =
    approvalProblem(sha, { headSha, distrust, barred, byRule, unread }) ??
    (shown ? linkedProblem(preview, shown) : linksProblem(preview, now())) ??
    (distrust === undefined ? personProblem(repository, { by, author: pullRequest.author, makers }) : undefined);
  if (problem !== undefined) throw refuse(problem);
  const at = now();
  // As they were shown to who approves: of one that has moved since, the policy asks again.
  const linked = linkedCommits(preview.status.links);
  const approved = { sha, by, at, ...(linked ? { linked } : {}) };
  await store.updateAndNote(key, ({ intents }) => ({
    fields: { intents: { ...intents, ...approvedBy(intents, approved, byRule) } },
    history: [{ at, reason: "Approved", message: approvedWords(approved, byRule), headSha: sha }],
  }));
  await store.enqueue([key]);
}

/** Who has a login of another forge may be anybody at this one. */
function nameAt({ forge }: RepositoryConfig, name: string, loginForge: string | undefined): string {
  const isOther = name.startsWith("@") && loginForge !== undefined && loginForge !== forge;
  return isOther ? `${name} of ${loginForge}` : name;
}

function approvedWords({ sha, by, linked = {} }: Approval, byRule: boolean): string {
  const others = Object.entries(linked).map(([other, commit]) => `, with ${commit.slice(0, 7)} of ${other},`);
  return `Commit ${sha.slice(0, 7)}${others.join("")} ${byRule ? "was approved" : "may run"}, by ${by}.`;
}

/** A sentence for a comment as the end of an error message. */
function inLine(sentence: string): string {
  const plain = sentence.replaceAll("`", '"').replace(/\.$/, "");
  return `${plain.slice(0, 1).toLowerCase()}${plain.slice(1)}`;
}
