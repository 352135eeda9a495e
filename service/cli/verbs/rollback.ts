import type { PreviewView } from "../../api/preview-view.ts";
import { rollbackWords } from "../../rollback.ts";
import { WrongUse } from "../../wrong-use.ts";
import { connect } from "../context.ts";
import { timeoutOption } from "../options.ts";
import { printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";
import { waitUntilReady } from "../waiting.ts";

/** Waits until that commit serves, or cannot. */
export const rollback: RunVerb = async ({ args: [given = "", sha], options, context }) => {
  if (sha !== undefined && !/^[0-9a-f]{7,64}$/i.test(sha)) {
    throw new WrongUse(`rolling back "${given}": "${sha}" is not the id of a commit, nor its first seven digits`);
  }
  const client = await connect(options, context);
  const keepDatabase = options.keepDatabase === true ? { keepDatabase: true } : {};
  const before = await client.find(given);
  const after = await client.act(given, { action: "rollback", ...(sha === undefined ? {} : { sha }), ...keepDatabase });
  const { rolledBack } = after;
  const words = rolledBack ? rollbackWords(rolledBack, after) : "It follows the head.";
  if (!options.json) printLine(context.stdout, `${after.key}: ${words.replaceAll("`", "")}`);
  return waitUntilReady({
    client,
    key: after.key,
    timeoutMs: timeoutOption(options.timeout),
    json: options.json === true,
    context,
    // A newer commit may have failed while this one served: that is over once it was looked at. What was wished for
    // before as well changes nothing.
    settled: (now) =>
      wishedOf(before) === wishedOf(after) ||
      now.since !== after.since ||
      (now.condition === "Ready" && now.commit === wishedOf(now)),
  });
};

function wishedOf({ rolledBack, headSha }: PreviewView): string | undefined {
  return rolledBack?.sha ?? headSha;
}
