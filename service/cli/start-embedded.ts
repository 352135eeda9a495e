/** Starts an embedded instance for a verb that stays in the foreground, telling what takes its time. */
import { join } from "node:path";
import { ensureEngine } from "../../infra/engine-install.ts";
import { withProgress } from "../../infra/progress.mjs";
import { DEFAULT_PORT } from "../config/defaults.ts";
import type { OperatorConfig } from "../config/types.ts";
import { embeddedConfig, localRepository } from "../embedded/default-config.ts";
import { type EmbeddedInstance, startEmbedded } from "../embedded/embedded.ts";
import { EXAMPLE_NAME, openExample } from "../embedded/example.ts";
import type { pullRequests } from "../embedded/example-changes.ts";
import { servicesRestored } from "../embedded/restored.ts";
import { type Client, createClient } from "./client.ts";
import type { CliContext } from "./context.ts";
import { besideLog, createActivity } from "./live.ts";
import { printLine } from "./output.ts";

export interface Foreground {
  readonly instance: EmbeddedInstance;
  readonly client: Client;
}

export interface StartChoice {
  readonly dataDir: string;
  readonly port?: number;
  /** Address to listen on, in place of the config's. */
  readonly host?: string;
  /** The operator's; absent: the embedded default. */
  readonly config?: OperatorConfig;
  /** Shows the example application with these pull requests open; absent: no repository at all. */
  readonly example?: typeof pullRequests;
  /** Keeps progress off the screen, for `--json`. */
  readonly quiet?: boolean;
}

/** Gets the Pulumi engine on a machine that has none, before anything else is touched; minutes where it is built. */
export async function needEngine({ stderr }: CliContext): Promise<void> {
  const onWait = () => printLine(stderr, "waiting for another process that gets the Pulumi engine …");
  await ensureEngine({ withProgress, onWait });
}

export async function startInForeground(choice: StartChoice, context: CliContext): Promise<Foreground> {
  const { dataDir, config } = choice;
  const port = choice.port ?? config?.port ?? DEFAULT_PORT;
  const host = choice.host ?? config?.host ?? "127.0.0.1";
  const activity = createActivity(besideLog(context, config?.log));
  const say = (doing: string) => {
    if (!choice.quiet) activity.say(doing);
  };
  const instance = await startEmbedded({
    dataDir,
    place: { host, port },
    version: context.version,
    config: async () => ({
      ...(config
        ? withPort(config, port)
        : await embeddedConfig({ dataDir, port, repositories: await exampleOf(choice) })),
      host,
    }),
    onProgress: say,
    onError: (line) => printLine(context.stderr, line),
  }).catch((error: unknown) => {
    activity.end();
    throw error;
  });
  await servicesRestored(dataDir, () => say("waiting for services to answer"));
  activity.end();
  return { instance, client: createClient(instance) };
}

async function exampleOf({ example, dataDir }: StartChoice) {
  if (!example) return [];
  const { path } = await openExample(exampleFolder(dataDir), example);
  return [localRepository(EXAMPLE_NAME, path)];
}

export function exampleFolder(dataDir: string): string {
  return join(dataDir, "example");
}

/** `--port` wins over the file; where the file named no address of its own, the address follows. */
function withPort(config: OperatorConfig, port: number): OperatorConfig {
  const follows = config.domain === `localhost:${config.port}`;
  return { ...config, port, ...(follows ? { domain: `localhost:${port}` } : {}) };
}
