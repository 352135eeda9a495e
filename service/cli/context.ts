import { resolve } from "node:path";
import { TerminalError } from "../../components/errors.ts";
import { defaultDataDir } from "../embedded/data-dir.ts";
import { isRunning, readInstance } from "../embedded/instance.ts";
import { WrongUse } from "../wrong-use.ts";
import { type Client, createClient } from "./client.ts";
import { portOption } from "./options.ts";

/** What a verb gets from outside, so that tests can run it without a terminal. */
export interface CliContext {
  readonly environment: NodeJS.ProcessEnv;
  readonly directory: string;
  readonly stdout: Screen;
  readonly stderr: Screen;
  readonly version: string;
}

export interface Screen {
  write(text: string): unknown;
  /** Width in characters; undefined when it is no terminal. */
  readonly columns?: number;
  readonly isTTY?: boolean;
}

/** Options that every verb takes. */
export interface GlobalOptions {
  readonly data?: string;
  readonly url?: string;
  readonly json?: boolean;
}

/** `--data`, else STACKLING_DATA, else one folder per user. */
export function dataDirOf({ data }: GlobalOptions, { environment, directory }: CliContext): string {
  const chosen = data ?? (environment.STACKLING_DATA || undefined);
  return chosen === undefined ? defaultDataDir({ environment }) : resolve(directory, chosen);
}

/** `--port`, else STACKLING_PORT; undefined where neither is said. */
export function portOf(
  { port }: Readonly<Record<string, string | boolean | undefined>>,
  { environment }: CliContext,
): number | undefined {
  return portOption(port) ?? portOption(environment.STACKLING_PORT || undefined, "STACKLING_PORT");
}

/**
 * The service to talk to: the one at `--url` or STACKLING_URL, else the one that runs on the data
 * folder. Throws `TerminalError` (`NotRunning`) that names the next step when there is none.
 */
export async function connect(options: GlobalOptions, context: CliContext): Promise<Client> {
  const client = await findService(options, context);
  if (client) return client;
  throw new TerminalError({
    reason: "NotRunning",
    userMessage: `no service is running on "${dataDirOf(options, context)}": start it with "stackling serve", or name another with --data or --url`,
  });
}

/** The same, but undefined when none runs. Throws `WrongUse` for an address that cannot be used. */
export async function findService(options: GlobalOptions, context: CliContext): Promise<Client | undefined> {
  const { environment } = context;
  const address = options.url ?? environment.STACKLING_URL;
  if (address !== undefined) {
    if (!/^https?:\/\//.test(address) || !URL.canParse(address))
      throw new WrongUse(`using service "${address}": it is no http address`);
    const token = environment.STACKLING_TOKEN;
    if (!token) throw new WrongUse(`using service "${address}": its token is needed in STACKLING_TOKEN`);
    return createClient({ url: address, token });
  }
  const instance = await readInstance(dataDirOf(options, context));
  if (!instance?.url || !(await isRunning(instance))) return undefined;
  return createClient({ url: instance.url, token: instance.token });
}
