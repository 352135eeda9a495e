/** Finds by itself what no trigger told: asks every forge for its open pull requests and the backend for its stacks. */
import type { Logger } from "pino";
import { formatKey, parseKey, stackName } from "../infra/names.ts";
import { previewSpec } from "../infra/spec.ts";
import type { Stacks } from "../infra/stacks.ts";
import { createBaseFiles } from "./base-files.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import type { Forge, PullRequest } from "./forges/forge.ts";
import type { Identities } from "./identities.ts";
import { createInsistence } from "./insist.ts";
import type { PullRequestLog } from "./kpis/pull-requests.ts";
import { linkNews } from "./linked/follow.ts";
import { stageKeys } from "./stages/stage.ts";
import type { Preview } from "./status.ts";
import type { Store } from "./store/store.ts";
import { refOf } from "./subject.ts";
import { after } from "./times.ts";

const DUE_EVERY_MS = 1_000;
const GONE_LATELY_MS = 86_400_000;

export interface ResyncDeps {
  readonly store: Pick<
    Store,
    "list" | "find" | "findByStack" | "update" | "enqueue" | "enqueueDue" | "repositories" | "forgetRepository"
  >;
  readonly stacks: Pick<Stacks, "list" | "outputs">;
  readonly repositories: () => Promise<readonly RepositoryConfig[]>;
  readonly forge: (name: string) => Forge | undefined;
  readonly pullRequests?: Pick<PullRequestLog, "listed">;
  /** Undefined: what answers at a repository's path is taken for it. */
  readonly identities?: Pick<Identities, "isOurs">;
  readonly now: () => string;
  readonly intervalSeconds: number;
  readonly logger: Logger;
}

export interface Resync {
  /** Looks at everything once; a repository or backend that does not answer is skipped. */
  run(options?: { readonly all?: boolean }): Promise<void>;
  /** Does the same soon, however often it takes. */
  begin(options?: { readonly all?: boolean }): void;
  /** Somebody pushed to this repository's default branch, or to another one: looks at what follows it before its time. */
  pushed(forge: string, path: string, gitBranch?: string): void;
  close(): Promise<void>;
}

/** Starts the timers: a resync now and then, what is due each second, and watching where a forge can. */
export function startResync(deps: ResyncDeps): Resync {
  const { logger } = deps;
  const watched = new Map<string, AbortController>();
  const parts: Parts = { ...deps, baseChanges: createBaseFiles() };
  // What a failed look would have seen is told by nobody until the next resync.
  const insistence = createInsistence({ logger });
  const begin: Resync["begin"] = ({ all = false } = {}) =>
    insistence.begin(all ? "the resync of everything" : "the resync", () => run({ all }));
  const timers = [
    setInterval(() => begin(), deps.intervalSeconds * 1000),
    setInterval(() => insistence.begin("enqueuing what is due", () => deps.store.enqueueDue(deps.now())), DUE_EVERY_MS),
  ];

  async function run({ all = false } = {}): Promise<void> {
    await forgetUnused(deps);
    const repositories = await deps.repositories();
    watchAll(repositories);
    const previews = await deps.store.list();
    if (all) await deps.store.enqueue([...previews, ...(await goneLately(deps))].map(({ key }) => key));
    // Those whose branch was pushed to, and those of which there is no record yet.
    await deps.store.enqueue(stageKeys(repositories));
    await Promise.all([
      resyncStacks(deps, new Set(previews.map(({ stack }) => stack))),
      ...repositories.map((repository) => resyncRepository(parts, repository, previews)),
    ]);
  }

  /** One watch per repository, begun when it is first seen and ended when it is no longer configured. */
  function watchAll(repositories: readonly RepositoryConfig[]): void {
    const names = new Set(repositories.map(({ name }) => name));
    for (const [name, controller] of watched) {
      if (names.has(name)) continue;
      controller.abort();
      watched.delete(name);
    }
    for (const repository of repositories) {
      const forge = deps.forge(repository.forge);
      if (!forge?.watch || watched.has(repository.name)) continue;
      const controller = new AbortController();
      watched.set(repository.name, controller);
      forge.watch(
        refOf(repository),
        (number) =>
          insistence.begin(`looking at "${repository.name}${number === undefined ? "" : `#${number}`}"`, () =>
            lookAtChange(parts, repository, number),
          ),
        controller.signal,
      );
    }
  }

  return {
    run,
    begin,
    pushed: (forge, path, gitBranch) =>
      insistence.begin(`looking at "${path}${gitBranch === undefined ? "" : `@${gitBranch}`}"`, async () => {
        const isPushed = (one: RepositoryConfig) =>
          one.forge === forge && one.path.toLowerCase() === path.toLowerCase();
        const found = (await deps.repositories()).filter(isPushed);
        if (gitBranch !== undefined) return deps.store.enqueue(stageKeys(found, gitBranch));
        for (const repository of found) await lookAtChange(parts, repository);
      }),
    async close() {
      for (const timer of timers) clearInterval(timer);
      for (const controller of watched.values()) controller.abort();
      await insistence.close();
    },
  };
}

/** Their last words may not have reached the forge when the service was killed behind writing them down. */
async function goneLately({ store, now }: ResyncDeps): Promise<readonly Preview[]> {
  const since = after(now(), -GONE_LATELY_MS);
  return (await store.list({ gone: true })).filter(({ status }) => (status.goneAt ?? "") > since);
}

interface Parts extends ResyncDeps {
  readonly baseChanges: ReturnType<typeof createBaseFiles>;
}

/** A repository that `up PATH` registered is forgotten when every preview of it was taken down and is gone. */
async function forgetUnused({ store }: ResyncDeps): Promise<void> {
  for (const { name } of await store.repositories()) {
    const previews = await store.list({ gone: true, repository: name });
    const over = previews.every(({ status, intents }) => status.goneAt !== undefined && intents.removed !== undefined);
    if (previews.length > 0 && over) await store.forgetRepository(name);
  }
}

/** A watched repository changed: the pull request it names, and every preview by hand of it. */
async function lookAtChange(deps: Parts, repository: RepositoryConfig, number?: number): Promise<void> {
  const previews = await deps.store.list({ repository: repository.name });
  const byHand = previews.filter((preview) => preview.number === undefined).map(({ key }) => key);
  if (number !== undefined) return deps.store.enqueue([formatKey({ repository: repository.name, number }), ...byHand]);
  await deps.store.enqueue(byHand);
  await resyncRepository(deps, repository, previews);
}

/** Enqueues what the list shows to be new or different, and what the store has and the list has not. */
async function resyncRepository(
  deps: Parts,
  repository: RepositoryConfig,
  previews: readonly Preview[],
): Promise<void> {
  const forge = deps.forge(repository.forge);
  if (!forge) return;
  const read = await forge.list(refOf(repository)).catch((error: unknown) => {
    deps.logger.warn({ err: error, repository: repository.name }, "listing pull requests failed");
    return undefined;
  });
  if (read?.kind !== "found") return;
  const known = new Map(
    previews.filter((preview) => preview.repository === repository.name).map((preview) => [preview.key, preview]),
  );
  const open = new Set<string>();
  const keys: string[] = [];
  const [first] = read.pullRequests;
  // Each preview of ours is still read for itself, but a stranger's list names no new ones.
  const isOurs = (await deps.identities?.isOurs(repository, first?.repositoryId)) ?? true;
  for (const pullRequest of isOurs ? read.pullRequests : []) {
    const key = formatKey({ repository: repository.name, number: pullRequest.number });
    open.add(key);
    if (isNews(pullRequest, known.get(key) ?? (await findRemoved(deps, key)))) keys.push(key);
  }
  // Not in the list is no evidence of anything: each is read for itself.
  for (const [key, preview] of known) if (preview.number === undefined || !open.has(key)) keys.push(key);
  if (isOurs) keys.push(...((await deps.pullRequests?.listed(repository.name, read.pullRequests)) ?? []));
  keys.push(...linkNews(previews, repository.name, isOurs ? read.pullRequests : []));
  keys.push(...(await deps.baseChanges(forge, repository, [...known.values()])));
  await deps.store.enqueue(keys);
}

/** One that expired or was taken down: it stays gone until something of its pull request changes. */
async function findRemoved({ store }: Parts, key: string): Promise<Preview | undefined> {
  const preview = await store.find(key);
  return preview?.status.goneAt !== undefined && preview.intents.removed ? preview : undefined;
}

function isNews(pullRequest: PullRequest, preview: Preview | undefined): boolean {
  const before = preview?.pullRequest;
  if (!preview || !before || before.state === "closed") return true;
  const facts = ({ headSha, baseRef, draft, fork, trustedAuthor, labels, title, updatedAt }: PullRequest) =>
    // A comment, which may hold a command, moves nothing but the last.
    JSON.stringify([headSha, baseRef, draft, fork, trustedAuthor, [...labels].sort(), title, updatedAt]);
  return facts(before) !== facts(pullRequest);
}

/** Stacks that the store does not know, or takes for gone, are looked at: nothing is leaked by a lost record. */
async function resyncStacks(deps: ResyncDeps, living: ReadonlySet<string>): Promise<void> {
  const startedAt = deps.now();
  const names = await deps.stacks.list().catch((error: unknown) => {
    deps.logger.warn({ err: error }, "listing stacks failed");
    return [];
  });
  for (const stack of names.filter((name) => !living.has(name))) {
    const preview = await deps.store.findByStack(stack);
    const key = preview?.key ?? (await keyOf(deps, stack));
    if (key === undefined) continue;
    if (preview && !preview.status.goneAt) continue;
    // Proved gone before this list was asked for, and yet there: somebody made it anew.
    await deps.store.update(key, ({ status }) =>
      status.goneAt !== undefined && status.goneAt < startedAt
        ? { status: { ...status, stackExists: true, interrupted: true, goneAt: undefined } }
        : {},
    );
    await deps.store.enqueue([key]);
  }
}

/** The key a stack was made for: from its spec, else from its name when the repository is known. */
async function keyOf(deps: ResyncDeps, stack: string): Promise<string | undefined> {
  const outputs = await deps.stacks.outputs(stack).catch(() => undefined);
  const { data: spec } = previewSpec.safeParse(outputs?.spec);
  if (spec) return spec.key;
  const [, name, number] = /^(.+)-pr-([1-9][0-9]{0,9})$/.exec(stack) ?? [];
  const repositories = await deps.repositories();
  const stage = stageKeys(repositories).find((key) => {
    const parsed = parseKey(key);
    return parsed !== undefined && stackName(parsed) === stack;
  });
  if (stage !== undefined) return stage;
  if (!name || !number || !repositories.some((repository) => repository.name === name)) return undefined;
  return formatKey({ repository: name, number: Number(number) });
}
