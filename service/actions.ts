/** What a person may ask for, from API, page, CLI or slash command: a wish is written down and the preview looked at. */
import { createHash } from "node:crypto";
import { isAbsolute } from "node:path";
import { TerminalError } from "../components/errors.ts";
import { formatKey, parseKey } from "../infra/names.ts";
import type { DriftReport } from "../infra/stacks.ts";
import { adopt } from "./adopt.ts";
import type { Actions } from "./api/actions.ts";
import { type ApproveDeps, approve } from "./approve.ts";
import type { ApplicationConfig } from "./config/application-types.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import type { OperatorConfig } from "./config/types.ts";
import { type Compare, type CompareDeps, createCompare, leaseOf, noSuchPreview } from "./drift/compare.ts";
import { flagFault, flagSaid } from "./flags.ts";
import type { Forge } from "./forges/forge.ts";
import type { Generations, Intents } from "./intents.ts";
import { extended, lifecycleOf } from "./lifecycle.ts";
import { minuteOf } from "./reason-words.ts";
import { type RollbackAsked, rolledBackTo } from "./rollback.ts";
import { scenarioFault, scenarioSaid } from "./scenarios.ts";
import { createStageActions, refuseOfStage, requireConfirmation } from "./stages/promote.ts";
import { type Preview, WAITING } from "./status.ts";
import type { HeldLease } from "./store/lease.ts";
import type { Store } from "./store/store.ts";
import { refOf } from "./subject.ts";
import { asleep, kept, notAsleep, raised, removed, repaired, triedAgain } from "./wishes.ts";

export interface ActionDeps extends Pick<ApproveDeps, "isolationOf" | "loginForge"> {
  readonly store: Store;
  readonly stacks: CompareDeps["stacks"];
  readonly world: CompareDeps["world"];
  /** How a stack is compared with the world; default: uncounted. */
  readonly compare?: Compare;
  readonly repositories: () => Promise<readonly RepositoryConfig[]>;
  readonly forge: (name: string) => Forge | undefined;
  /** Name of the forge that reads repositories on this machine; undefined when none may be registered. */
  readonly localForge: string | undefined;
  /** Target of repositories that `up PATH` registers. */
  readonly defaultTarget: string;
  /** What a repository without `preview.yaml` seems to be; undefined when that cannot be told. */
  readonly detectApplication?: (path: string, commit: string) => Promise<ApplicationConfig | undefined>;
  /** Called when a repository was registered, so that it is watched from now on. */
  readonly onRegistered?: () => void;
  readonly config: Pick<OperatorConfig, "lifecycle">;
  readonly now: () => string;
}

export interface AllActions extends Actions {
  /** Looks at the world first and puts right what differs, also when the wish is unchanged. */
  repair(key: string, by: string): Promise<void>;
  /** What differs between state and world. Throws `ConflictError` while an engine runs on it. */
  drift(key: string): Promise<DriftReport>;
  lease(key: string): Promise<HeldLease>;
}

/** Every verb resolves when the wish is stored; the work follows. `TerminalError` (`NoSuchPreview`) for unknown keys. */
export function createActions(deps: ActionDeps): AllActions {
  const { store } = deps;
  const { compare = createCompare(deps) } = deps;

  async function change(key: string, to: Parameters<Store["update"]>[1]): Promise<void> {
    if (!(await store.update(key, to))) throw noSuchPreview(key);
    await store.enqueue([key]);
  }

  const wish = (key: string, wished: (preview: Preview) => Partial<Intents>) =>
    change(key, (preview) => ({ intents: { ...preview.intents, ...wished(preview) } }));

  /** For what cannot be done with one that is gone: nobody is told that it was done. */
  const wishLiving = (key: string, doing: string, wished: (preview: Preview) => Partial<Intents>) =>
    wish(key, (preview) => {
      if (preview.status.goneAt === undefined) return wished(preview);
      throw new TerminalError({
        reason: "Gone",
        userMessage: `${doing} "${key}": it is gone; \`redeploy\` or a push makes it anew`,
      });
    });

  const raise = (generation: keyof Generations) => (key: string) => wish(key, (preview) => raised(preview, generation));

  return {
    async look(key) {
      const preview = (await store.find(key)) ?? (await store.findByStack(key));
      if (!preview && !parseKey(key)) throw noSuchPreview(key);
      await store.enqueue([preview?.key ?? key]);
    },
    upByHand: (asked) => upByHand(deps, asked),
    down: (key, by, confirmed = false) =>
      change(key, (preview) => {
        requireConfirmation(key, confirmed);
        return {
          intents: { ...preview.intents, ...removed(preview, { now: deps.now(), by }) },
          status: triedAgain(preview.status),
        };
      }),
    redeploy: raise("deploy"),
    resetDatabase: (key) =>
      wish(key, (preview) => {
        refuseOfStage(key, "resetting the database of");
        if (!preview.status.live?.database?.shared) return raised(preview, "database");
        throw new TerminalError({
          reason: "DatabaseShared",
          userMessage: `resetting the database of "${key}": it is not its own, and others work with it`,
        });
      }),
    rotate: (key) => wishLiving(key, "rotating the credentials of", (preview) => raised(preview, "secrets")),
    rollback: (key, asked, by) => rollBack(deps, key, { ...asked, by }),
    approve: (key, sha, by, linked) => approve(deps, key, { sha, by, linked }),
    flag: (key, { name, value }) =>
      wishLiving(key, "setting a flag of", ({ intents, status }) => {
        const isTakenBack = value === undefined && Object.hasOwn(intents.flags ?? {}, name);
        const fault = isTakenBack ? undefined : flagFault(status.live?.flags ?? {}, name, value);
        if (fault === undefined) return flagSaid(intents, name, value);
        const why = status.live ? fault.replaceAll("`", '"') : "its flags are known once a first version serves";
        throw new TerminalError({ reason: "NoSuchFlag", userMessage: `setting a flag of "${key}": ${why}` });
      }),
    seed: (key, scenario) =>
      wish(key, (preview) => {
        const { live } = preview.status;
        if (scenario !== undefined || !live?.database?.seed) refuseOfStage(key, "seeding");
        if (scenario === undefined) return raised(preview, "seed");
        const fault = live?.database?.shared
          ? "its database is not its own, and others work with it"
          : scenarioFault(live?.database?.scenarios ?? [], scenario);
        if (fault === undefined) return scenarioSaid(preview, scenario);
        const why = live ? fault.replaceAll("`", '"') : "its scenarios are known once a first version serves";
        throw new TerminalError({ reason: "NoSuchScenario", userMessage: `seeding "${key}": ${why}` });
      }),
    sleep: (key) => wishLiving(key, "putting to sleep", () => asleep({ now: deps.now() })),
    async wake(key) {
      await store.visited({ [key]: deps.now() });
      await wishLiving(key, "waking", notAsleep);
    },
    keep: (key, _by, keep = true) =>
      wishLiving(key, "keeping", (preview) => {
        refuseOfStage(key, "keeping");
        return kept(preview, keep, { now: deps.now() });
      }),
    async extend(key, seconds) {
      const [repositories, pauses] = await Promise.all([deps.repositories(), store.pauses()]);
      await wishLiving(key, "extending", (preview) => {
        refuseOfStage(key, "extending");
        const repository = repositories.find(({ name }) => name === preview.repository);
        const wished = extended(preview, lifecycleOf(deps.config, repository), { seconds, now: deps.now(), pauses });
        if (wished.intents) return wished.intents;
        throw new TerminalError({
          reason: "ExtendTooFar",
          userMessage: `extending "${key}": it may stay until ${minuteOf(wished.furthest)} at most (lifecycle.extendMax); \`keep\` has no end`,
        });
      });
    },
    ...createStageActions(deps),
    repair: (key) => change(key, ({ status }) => ({ status: repaired(status, { now: deps.now() }) })),
    drift: (key) => compare(key),
    lease: (key) => leaseOf(store, key, "running an engine by hand"),
  };
}

/** Which commit is wished now, and why, is an entry of the history in the same commit. */
async function rollBack(
  { store, now }: ActionDeps,
  key: string,
  { by, ...asked }: RollbackAsked & { readonly by: string },
): Promise<void> {
  const refuse = (reason: string, why: string) =>
    new TerminalError({ reason, userMessage: `rolling back "${key}": ${why.replaceAll("`", '"')}` });
  const at = now();
  const done = await store.updateAndNote(key, (preview) => {
    if (preview.status.goneAt !== undefined) throw refuse("Gone", "it is gone; `redeploy` or a push makes it anew");
    const wished = rolledBackTo(preview, asked, { by, now: at });
    if (wished.problem !== undefined) throw refuse("NoSuchCommit", wished.problem);
    const message = `By ${by}: ${wished.answer.replaceAll("`", '"')}.`;
    return {
      fields: { intents: { ...preview.intents, ...wished.intents } },
      history: [{ at, reason: "RolledBack", message, headSha: wished.sha }],
    };
  });
  if (!done) throw noSuchPreview(key);
  await store.enqueue([key]);
}

interface ByHand {
  readonly repository: string;
  readonly ref?: string;
  readonly by: string;
}

async function upByHand(deps: ActionDeps, { repository: asked, ref }: ByHand): Promise<Preview> {
  const { store } = deps;
  const { repository, isNew } = await findOrDescribe(deps, asked);
  const forge = deps.forge(repository.forge);
  if (!forge)
    throw new TerminalError({
      reason: "NotConfigured",
      userMessage: `bringing up "${asked}": its forge is not configured`,
    });
  // Such a ref is a stranger's to move, and what is made by hand is trusted.
  if (ref !== undefined && /^(refs\/)?(pull|merge-requests)\/\d+\//.test(ref)) {
    throw new TerminalError({
      reason: "RefNotFound",
      userMessage: `bringing up "${asked}": "${ref}" is the head of a pull request, whose preview has a key of its own; give a branch, tag or commit`,
    });
  }
  const gitBranch = ref ?? (await forge.defaultBranch(refOf(repository)));
  const key = formatKey({ repository: repository.name, gitBranch });
  const commit = parseKey(key) && (await forge.resolve(refOf(repository), gitBranch));
  if (!commit) {
    throw new TerminalError({
      reason: "RefNotFound",
      userMessage: `bringing up "${asked}": "${gitBranch}" is no branch, tag or commit of it`,
    });
  }
  const application = isNew ? await deps.detectApplication?.(asked, commit) : undefined;
  const draft = await adopt(deps, key, deps.now());
  if (!draft) throw noSuchPreview(key);
  await store.create(draft);
  const preview = await store.update(key, ({ intents }) => ({
    intents: { ...intents, removed: undefined, rolledBack: undefined, gitRef: gitBranch },
  }));
  if (!preview) throw noSuchPreview(key);
  // Behind the preview's record: a registered repository without one counts as unused.
  if (isNew) {
    await store.registerRepository({ ...repository, ...(application ? { application } : {}) });
    deps.onRegistered?.();
  }
  // What the look before said of it is so no more, and whoever waits for this one must not take it for the answer.
  const wasForgotten = isNew && preview.status.reason === "NotConfigured";
  const shown = wasForgotten && (await store.setStatus(key, WAITING));
  await store.enqueue([key]);
  return shown || preview;
}

/** A configured repository by name or path; else a description of the one on this machine, to be registered. */
async function findOrDescribe(
  deps: ActionDeps,
  asked: string,
): Promise<{ readonly repository: RepositoryConfig; readonly isNew: boolean }> {
  const repositories = await deps.repositories();
  const known = repositories.find(({ name, path }) => path === asked || name === asked);
  if (known) return { repository: known, isNew: false };
  if (!isAbsolute(asked) || deps.localForge === undefined) {
    throw new TerminalError({
      reason: "NotConfigured",
      userMessage: `bringing up "${asked}": it is neither a configured repository nor an absolute path`,
    });
  }
  const repository: RepositoryConfig = {
    name: freeName(asked, new Set(repositories.map(({ name }) => name))),
    forge: deps.localForge,
    path: asked,
    target: deps.defaultTarget,
    // Exactly the ref that was asked for, and none of its branches as pull requests.
    branches: [],
    secrets: {},
    tags: {},
  };
  return { repository, isNew: true };
}

/**
 * The folder's own name, made fit for hosts; with a hash of the path when it is taken, or when its hosts
 * could be those of a service: `api` of `shop` answers where the main service of `api-shop` would.
 */
function freeName(path: string, taken: ReadonlySet<string>): string {
  const last = path.split("/").filter(Boolean).at(-1) ?? "";
  const slug = last
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\.git$/, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .slice(0, 20)
    .replace(/-+$/, "");
  const name = slug || "app";
  const isTaken = [...taken].some(
    (other) => other === name || other.endsWith(`-${name}`) || name.endsWith(`-${other}`),
  );
  return isTaken ? `${name}-${createHash("sha256").update(path).digest("hex").slice(0, 6)}` : name;
}
