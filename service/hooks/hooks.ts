/** Outgoing webhooks: what came of a preview goes into an outbox, and from there to whoever the operator named. */
import type { Logger } from "pino";
import { StacklingError } from "../../components/errors.ts";
import type { Finding } from "../../components/ports.ts";
import { pageUrl } from "../addresses.ts";
import type { HookConfig } from "../config/hooks.ts";
import type { OperatorConfig } from "../config/types.ts";
import { every } from "../every.ts";
import { readyEvent } from "../ready-event.ts";
import type { Preview } from "../status.ts";
import { startHookQueue } from "./queue.ts";
import { checkHookSecret } from "./send.ts";
import type { HookStore } from "./store.ts";

const LOOK_EVERY_MS = 2_000;
const TRIM_EVERY_MS = 3_600_000;
/** As Standard Webhooks advises: within minutes at first, three days in all. */
const AGAIN_SECONDS = [5, 30, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400] as const;

export interface HooksDeps {
  readonly store: HookStore;
  readonly config: Pick<OperatorConfig, "hooks" | "repositories" | "scheme" | "domain">;
  readonly logger: Pick<Logger, "warn">;
  readonly lookEveryMs?: number;
  /** Before each further attempt; for tests. */
  readonly againSeconds?: readonly number[];
}

export interface Hooks {
  /** Resolves when what is new is in the outbox; what waits for that cannot be lost. Never rejects. */
  announce(preview: Preview): Promise<void>;
  /** Deliveries that were given up, or fail now. */
  check(): Promise<readonly Finding[]>;
  close(): Promise<void>;
}

export function startHooks({ store, config, logger, ...times }: HooksDeps): Hooks {
  const { lookEveryMs = LOOK_EVERY_MS, againSeconds = AGAIN_SECONDS } = times;
  const hooks = new Map(Object.entries(config.hooks ?? {}));
  if (hooks.size === 0) return NONE;
  const chosen = new Map(config.repositories.map((repository) => [repository.name, repository.hooks]));
  const home = `${config.scheme}://${config.domain}`;
  const deps = { store, logger, lookEveryMs, againSeconds };
  const queues = new Map([...hooks].map(([name, hook]) => [name, startHookQueue(deps, { name, hook })]));
  const trim = () =>
    store
      .trimHookDeliveries([...hooks.keys()])
      .catch((error) => logger.warn({ err: error }, "trimming deliveries of hooks failed; it is tried again"));
  const trimmed = trim();
  const trimming = every(TRIM_EVERY_MS, trim);

  return {
    async announce(preview) {
      const event = readyEvent(preview, { pageUrl: pageUrl(home, preview.key) });
      if (!event) return;
      const names = (chosen.get(preview.repository) ?? [...hooks.keys()]).filter((name) =>
        hooks.get(name)?.events.includes(event.event),
      );
      try {
        if (names.length === 0 || (await store.putHookEvents(names, event)) === 0) return;
        for (const name of names) queues.get(name)?.look();
      } catch (error) {
        logger.warn({ key: preview.key, err: error }, "an event of a preview could not be put down for its hooks");
      }
    },
    async check() {
      const [troubles, secrets] = await Promise.all([store.hookTroubles(), checkSecrets(hooks)]);
      const taken = troubles.map(({ hook, failed, waiting, answer }) => ({
        ok: false,
        what: `hook "${hook}": ${failed} given up, ${waiting} tried again; ${answer}`,
        remedy: `see that ${hostOf(hooks.get(hook)?.url)} answers with 2xx within 15 s; what waits is sent by itself`,
      }));
      return [...secrets, ...taken];
    },
    async close() {
      await Promise.all([...[...queues.values()].map((queue) => queue.close()), trimming.close(), trimmed]);
    },
  };
}

async function checkSecrets(hooks: ReadonlyMap<string, HookConfig>): Promise<readonly Finding[]> {
  const found = [...hooks].map(async ([name, hook]): Promise<Finding> => {
    try {
      await checkHookSecret(hook);
      return { ok: true, what: `hook "${name}" has a secret that signs` };
    } catch (error) {
      if (!(error instanceof StacklingError)) throw error;
      const remedy = `give \`hooks.${name}.secret\` in the configuration "whsec_" and base64`;
      return { ok: false, what: `hook "${name}": ${error.userMessage}`, remedy };
    }
  });
  return Promise.all(found);
}

/** The rest of an address may be a secret. */
function hostOf(url: string | undefined): string {
  return url === undefined ? "it" : new URL(url).host;
}

const NONE: Hooks = {
  announce: () => Promise.resolve(),
  check: () => Promise.resolve([]),
  close: () => Promise.resolve(),
};
