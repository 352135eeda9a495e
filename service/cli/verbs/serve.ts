import { resolve } from "node:path";
import type { OperatorConfig } from "../../config/types.ts";
import { pullRequests } from "../../embedded/example-changes.ts";
import type { Client } from "../client.ts";
import { dataDirOf, portOf } from "../context.ts";
import { inForeground, untilAborted } from "../foreground.ts";
import { besideLog } from "../live.ts";
import { textOption } from "../options.ts";
import { colorsFor, printJson, printLine } from "../output.ts";
import { readOperator } from "../read-operator.ts";
import { needEngine, startInForeground } from "../start-embedded.ts";
import type { RunVerb } from "../verb.ts";
import { watchPreviews } from "../watch.ts";

export const serve: RunVerb = async ({ options, context }) => {
  const { stdout, environment, directory } = context;
  const dataDir = dataDirOf(options, context);
  const file = textOption(options.config);
  const config = file === undefined ? undefined : await readOperator(resolve(directory, file), dataDir);
  const port = portOf(options, context);
  const host = textOption(options.host);
  await needEngine(context);
  return inForeground(context, {
    start: () =>
      startInForeground(
        {
          dataDir,
          example: pullRequests,
          ...(config ? { config } : {}),
          ...(port === undefined ? {} : { port }),
          ...(host === undefined ? {} : { host }),
          quiet: options.json === true,
        },
        context,
      ),
    stop: ({ instance }) => instance.stop(),
    work: async ({ instance, client }, signal) => {
      if (options.json) {
        printJson(stdout, { url: instance.url, ...(await loginOf(instance.config, client)), data: dataDir });
        await untilAborted(signal);
        return 0;
      }
      const colors = colorsFor(stdout, environment);
      printLine(stdout);
      printLine(stdout, `${colors.bold("Stackling")} ${context.version} is running on "${dataDir}"`);
      const { login } = await loginOf(instance.config, client);
      printLine(stdout, `  the page${login ? ", logged in" : ""}:  ${colors.cyan(login ?? instance.url)}`);
      for (const { name, path } of instance.config.repositories) printLine(stdout, `  repository ${name}:  ${path}`);
      printLine(stdout, "  Ctrl-C stops it and every preview; the next start brings them back");
      printLine(stdout);
      await watchPreviews(client, besideLog(context, instance.config.log), signal);
      return 0;
    },
  });
};

/** Where an operator gave the token, what is printed goes into a container's log, which is no place for a login. */
async function loginOf({ token }: OperatorConfig, client: Client): Promise<{ readonly login?: string }> {
  return token ? {} : { login: await client.loginLink() };
}
