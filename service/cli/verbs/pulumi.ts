import { TerminalError } from "../../../components/errors.ts";
import { readInstance } from "../../embedded/instance.ts";
import { connect, dataDirOf } from "../context.ts";
import { runPulumi } from "../pulumi.ts";
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
    return await runPulumi({ dataDir, instanceId: instance.instanceId, stack, args, environment: context.environment });
  } finally {
    await client.look(key);
  }
};
