/** The store of an instance for verbs that work on it past the service. */
import { join, resolve } from "node:path";
import { layout } from "../../components/local/layout.ts";
import { readInstance } from "../embedded/instance.ts";
import { startEmbeddedPostgres } from "../embedded/postgres.ts";
import { resolveSecret } from "../secret-reference.ts";
import { WrongUse } from "../wrong-use.ts";
import { dataDirOf } from "./context.ts";
import { textOption } from "./options.ts";
import { readOperator } from "./read-operator.ts";
import type { VerbCall } from "./verb.ts";

const silent = { info: () => undefined, warn: () => undefined };

/**
 * Runs `work` with the URL of the store that `--config` names, else of the embedded server of the data
 * folder, which is started for it when it does not run and ended again.
 */
export async function withStore<T>(
  { options, context }: Pick<VerbCall, "options" | "context">,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const dataDir = dataDirOf(options, context);
  const file = textOption(options.config);
  const config = file === undefined ? undefined : await readOperator(resolve(context.directory, file), dataDir);
  if (config?.store) return work(await resolveSecret(config.store));
  if (!(await readInstance(dataDir))) {
    throw new WrongUse(
      `using data folder "${dataDir}": there is no instance in it; name another with --data, or the operator's store with --config`,
    );
  }
  const server = await startEmbeddedPostgres({ dir: join(layout(dataDir).postgres, "store"), logger: silent });
  try {
    return await work(server.url);
  } finally {
    if (!server.adopted) await server.stop();
  }
}
