/** Reads what was asked for in comments, and carries out each command once. */
import type { Logger } from "pino";
import { StacklingError } from "../../components/errors.ts";
import { asksPersons } from "../approval.ts";
import type { RepositoryConfig } from "../config/repository-types.ts";
import type { OperatorConfig } from "../config/types.ts";
import type { ForgeCommands, PullRequest } from "../forges/forge.ts";
import type { CommandsHandled } from "../intents.ts";
import { lifecycleOf } from "../lifecycle.ts";
import { linkDistrust, linkedCommits } from "../linked/links.ts";
import { linksSeen } from "../linked/look.ts";
import { linksWait } from "../linked/waits.ts";
import { policy } from "../policy.ts";
import type { Preview } from "../status.ts";
import type { Store } from "../store/store.ts";
import { refOf } from "../subject.ts";
import { distrustOf, type Isolation, strangersRefusal } from "../trust.ts";
import type { Look } from "../wish.ts";
import { type Heard, handle, type SharedGround } from "./handle.ts";
import { type LogDeps, type LogExcerpt, readLogExcerpt } from "./log-lines.ts";
import { parseCommands } from "./parse.ts";

export interface CommandDeps extends LogDeps {
  readonly store: Pick<Store, "update" | "updateAndNote" | "enqueue" | "pauses">;
  readonly config: Pick<OperatorConfig, "lifecycle">;
  /** Undefined for a repository whose forge has no comments. */
  readonly commandsOf?: (repository: RepositoryConfig) => ForgeCommands | undefined;
  /** How a target keeps previews, by its name; undefined: none keeps them apart. */
  readonly isolationOf?: (target: string) => Isolation;
  readonly announce: (preview: Preview) => Promise<void>;
  readonly lookAgain: (key: string, afterMs: number) => void;
  readonly now: () => string;
  readonly logger: Pick<Logger, "warn">;
}

/** Long, for where comments alone cannot be read nobody may mend it soon, and each look costs requests. */
const UNREACHABLE_AGAIN_MS = 120_000;

/**
 * Asks the forge for comments that are newer than the last one handled, and writes in one commit what
 * their commands change and that they were handled: killed before it, they are read again; behind it,
 * they are levels like any other wish. Several may call it at once. True when something was carried
 * out or answered, so that the preview is to be looked at anew. Never rejects for an outage of the forge.
 */
export async function takeCommands(deps: CommandDeps, look: Look): Promise<boolean> {
  const { preview, known, repository, subject } = look;
  const forge = repository && deps.commandsOf?.(repository);
  if (!known || !forge || subject.kind !== "pullRequest") return false;
  const { key, intents } = preview;
  // Of a record that is older than commands are.
  if (!intents.commands) return begin(deps, key);
  const news = await readNews(deps, {
    forge,
    repository,
    key,
    number: subject.pullRequest.number,
    from: intents.commands,
  });
  if (!news) return false;
  const ground = {
    ...groundOf(deps, look, repository, subject.pullRequest),
    pauses: await deps.store.pauses(),
    logs: await readLogs(deps, preview, news),
  };
  let answered = false;
  const updated = await deps.store.updateAndNote(key, (held) => {
    const handled = handle(held, news, ground);
    answered = handled.answered;
    return handled;
  });
  if (news.more) await deps.store.enqueue([key]);
  if (answered && updated) await deps.announce(updated);
  return answered;
}

async function begin({ store, now }: CommandDeps, key: string): Promise<false> {
  await store.update(key, ({ intents }) => ({
    intents: { ...intents, commands: intents.commands ?? { since: now() } },
  }));
  return false;
}

interface Question {
  readonly forge: ForgeCommands;
  readonly repository: RepositoryConfig;
  readonly key: string;
  readonly number: number;
  readonly from: CommandsHandled;
}

/** Undefined when there is nothing new, or nobody can tell now. */
async function readNews(
  deps: CommandDeps,
  question: Question,
): Promise<(Heard & { readonly more: boolean }) | undefined> {
  const { forge, repository, key, number, from } = question;
  const passed = (message: string) => {
    deps.logger.warn({ key }, `${message}; it is tried again`);
    // The comment moved the pull request's time, which is on record by then: no resync would see it again.
    deps.lookAgain(key, UNREACHABLE_AGAIN_MS);
    return undefined;
  };
  const since = from.last?.at ?? from.since;
  const read = await forge.comments(refOf(repository), number, { since, after: from.last?.id ?? 0 });
  if (read.kind === "unreachable") return passed(read.message);
  if (!read.last) return undefined;
  try {
    const comments: Heard["comments"][number][] = [];
    // One after the other: of many comments by one account only the first asks what it may do.
    for (const comment of read.comments) {
      const lines = parseCommands(comment.body);
      if (lines.length === 0) continue;
      const certain = lines.some(({ asks }) => "command" in asks && asks.command.verb === "approve");
      const allowed = await forge.mayCommand(refOf(repository), comment, { certain });
      comments.push({ id: comment.id, by: comment.author ?? "ghost", at: comment.createdAt, allowed, lines });
    }
    return { comments, last: read.last, more: read.more };
  } catch (error) {
    if (error instanceof StacklingError) return passed(error.userMessage);
    throw error;
  }
}

/** Of each service that somebody who may asked for; of all under "". */
async function readLogs(
  deps: LogDeps,
  preview: Pick<Preview, "key" | "stack" | "status">,
  { comments }: Heard,
): Promise<ReadonlyMap<string, LogExcerpt>> {
  const asked = comments
    .filter(({ allowed }) => allowed)
    .flatMap(({ lines }) => lines)
    .flatMap(({ asks }) => ("command" in asks && asks.command.verb === "logs" ? [asks.command.service] : []));
  const read = [...new Set(asked)].map(
    async (service) => [service ?? "", await readLogExcerpt(deps, preview, service)] as const,
  );
  return new Map(await Promise.all(read));
}

/** What holds of the pull request now, whatever the preview was told before. */
function groundOf(
  deps: CommandDeps,
  look: Look,
  repository: RepositoryConfig,
  pullRequest: PullRequest,
): Omit<SharedGround, "pauses" | "logs"> {
  const now = deps.now();
  const { subject, preview, application: read } = look;
  const { headSha, state, previewWith = [] } = pullRequest;
  // The record has not seen a push that comes with this very look.
  const pushedAt = preview.status.headSha === headSha ? preview.lastPushAt : now;
  const isolation = deps.isolationOf?.(repository.target) ?? "together";
  // As if the head were approved and wished for, which may be what the comment is about to do.
  const approved = { sha: headSha, by: "", at: now };
  const intents = { ...preview.intents, removed: undefined, rolledBack: undefined, approved };
  const { approval: rule, ...lenient } = repository;
  const linked = linkedCommits(preview.status.links);
  const seen = { subject, application: undefined, intents, isolation, hardStop: undefined, now };
  const verdict = policy({ ...seen, repository: lenient });
  const refused = verdict.kind === "blocked" && !verdict.passing;
  const beside = linksWait(linksSeen(look))?.message;
  return {
    now,
    headSha,
    closed: state === "closed",
    lifecycle: lifecycleOf(deps.config, repository),
    ...(refused ? { refusal: verdict.message } : {}),
    trust: {
      distrust: distrustOf(pullRequest) ?? linkDistrust(preview.status.links),
      barred: strangersRefusal(repository, isolation),
      byRule: asksPersons(repository),
      unread: read?.kind === "unreachable" && previewWith.length > 0,
    },
    ...(beside === undefined ? {} : { beside }),
    ...(rule ? { approval: { repository, subject, linked, now, pushedAt, author: pullRequest.author } } : {}),
    ...(read?.kind === "found"
      ? {
          flags: read.application.flags ?? {},
          scenarios: Object.keys(read.application.database?.scenarios ?? {}),
        }
      : {}),
  };
}
