/** What `doctor` says: every part that can be asked is asked, and what is wrong comes with its remedy. */
import type { Finding } from "../components/ports.ts";
import { alarmFindings } from "./alarm.ts";
import type { ReadinessChecks } from "./api/health.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import { credentialFindings } from "./credentials.ts";
import type { Forge } from "./forges/forge.ts";
import { outageFindings } from "./outages.ts";
import type { Store } from "./store/store.ts";
import { refOf } from "./subject.ts";
import { NOT_CONFIGURED } from "./webhooks.ts";
import { within } from "./within.ts";
import type { World } from "./world.ts";

const ANSWER_WITHIN_MS = 15_000;

export interface DoctorDeps {
  readonly world: Pick<World, "check">;
  readonly store: Pick<Store, "list" | "counters">;
  /** What `/readyz` asks. */
  readonly checks: ReadinessChecks;
  readonly repositories: () => Promise<readonly RepositoryConfig[]>;
  readonly forge: (name: string) => Forge | undefined;
  readonly forges: ReadonlyMap<string, Pick<Forge, "checkConnection">>;
  /** What the engine needs for the configured targets. */
  readonly plugins: () => Promise<readonly Finding[]>;
  /** Whether registries take the credentials that are configured for them. */
  readonly registries: () => Promise<readonly Finding[]>;
  /** Whether each is there, and its last build went well. */
  readonly baselines: () => Promise<readonly Finding[]>;
  /** Whether each repository is still the one its name stands for. */
  readonly identities: () => Promise<readonly Finding[]>;
  /** Where strangers' pull requests cannot be kept apart. */
  readonly isolation: () => Promise<readonly Finding[]>;
  /** Kill switch and sweep. */
  readonly operation: () => Promise<readonly Finding[]>;
  /** Whether the Prometheus servers that gates ask answer. */
  readonly prometheus: () => Promise<readonly Finding[]>;
  /** Reviews of external services that are overdue. */
  readonly external: () => Promise<readonly Finding[]>;
  /** Chats that cannot be told, and deliveries of outgoing webhooks that nobody took. */
  readonly telling: () => Promise<readonly Finding[]>;
  /** Whether it is said who may see previews, and what shares a site with them. */
  readonly access: () => Promise<readonly Finding[]>;
  /** Whether those who know what previews really cost say it. */
  readonly bills: () => Promise<readonly Finding[]>;
  /** Whether budgets can count what their previews take. */
  readonly budgets: () => Promise<readonly Finding[]>;
  /** Version of the engine that is in use. */
  readonly engineVersion: string;
}

/** Never rejects: what could not be asked is itself a finding. */
export function createDoctor(deps: DoctorDeps): () => Promise<readonly Finding[]> {
  return async () => {
    const findings = await Promise.all([
      ask("what Stackling stands on was asked", () => outageFindings(deps.checks)),
      ask("previews that will not go were looked for", async () => alarmFindings(await deps.store.list())),
      ask("previews' logins were looked at", async () =>
        credentialFindings(await deps.store.list(), new Date().toISOString()),
      ),
      ask("the targets' drivers answer", () => deps.world.check()),
      ask("the engine's plugins were looked for", deps.plugins),
      ask("registries were asked about their credentials", deps.registries),
      ask("the baselines were looked for", deps.baselines),
      ask("the forges answer", () => checkForges(deps)),
      ask("the repositories are those they were", deps.identities),
      ask("targets were asked whether they keep previews apart", deps.isolation),
      ask("sweep and kill switch were looked at", deps.operation),
      ask("chats and hooks were asked", deps.telling),
      ask("Prometheus servers answer", deps.prometheus),
      ask("the services of others were listed", deps.external),
      ask("the previews' doors were looked at", deps.access),
      ask("what was asked about real costs was looked at", deps.bills),
      ask("the budgets were looked at", deps.budgets),
      ask("deliveries are for repositories of the configuration", () => checkDeliveries(deps)),
    ]);
    return [{ ok: true, what: `the Pulumi engine is ${deps.engineVersion}` }, ...findings.flat()];
  };
}

async function checkForges(deps: DoctorDeps): Promise<readonly Finding[]> {
  const checks = (await deps.repositories()).map(async (repository) => {
    const forge = deps.forge(repository.forge);
    if (!forge)
      return [{ ok: false, what: `the forge "${repository.forge}" of "${repository.name}" is not configured` }];
    return (await forge.check?.(refOf(repository))) ?? [];
  });
  const found = await Promise.all(checks);
  // Behind them: what is left of a limit is known of those that were asked.
  const connections = [...deps.forges.values()].map(async (forge) => (await forge.checkConnection?.()) ?? []);
  return [...(await Promise.all(connections)), ...found].flat();
}

/** No fault of ours: a webhook of a whole organisation tells of repositories that get no previews. */
async function checkDeliveries({ store }: DoctorDeps): Promise<readonly Finding[]> {
  return Object.entries(await store.counters()).flatMap(([name, count]) => {
    if (!name.startsWith(NOT_CONFIGURED)) return [];
    const what = `${count} deliveries came for "${name.slice(NOT_CONFIGURED.length)}", which is not configured`;
    return [{ ok: true, what, remedy: "add it to `repositories` when its pull requests should get previews" }];
  });
}

/** The findings of one part, under one that says whether it could be asked at all. */
async function ask(what: string, question: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  const found = await within(ANSWER_WITHIN_MS, question(), undefined).catch(() => undefined);
  if (found) return [{ ok: true, what }, ...found];
  return [{ ok: false, what: `${what}: not now`, remedy: "look into the log of the service" }];
}
