import { TerminalError } from "../../../components/errors.ts";
import { readInstance } from "../../embedded/instance.ts";
import { connect, dataDirOf } from "../context.ts";
import { printLine } from "../output.ts";
import { mayChange, runPulumi } from "../pulumi.ts";
import type { RunVerb } from "../verb.ts";

export const pulumi: RunVerb = async ({ args: [given = "", ...args], options, context }) => {
  const client = await connect(options, context);
  const dataDir = dataDirOf(options, context);
  const instance = await readInstance(dataDir);
  if (!instance || instance.url !== client.url) {
    throw new TerminalError({
      reason: "ElsewhereOnly",
      userMessage: `running pulumi on ${given}: the service at ${client.url} keeps its data elsewhere; run this where its data folder is`,
    });
  }
  const { key, stack } = await client.find(given);
  try {
    return await runPulumi({
      client,
      key,
      dataDir,
      stack,
      args,
      environment: context.environment,
      onWait: () => printLine(context.stderr, `an engine of Stackling runs on ${key}; waiting for it …`),
    });
  } finally {
    await (mayChange(args) ? client.act(key, { action: "repair" }) : client.look(key));
  }
};
