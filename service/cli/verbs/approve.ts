import { isCommitId } from "../../trust.ts";
import { WrongUse } from "../../wrong-use.ts";
import { connect } from "../context.ts";
import { printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const approve: RunVerb = async ({ args: [given = "", sha = ""], options, context }) => {
  if (!isCommitId(sha)) throw new WrongUse(`approving "${given}": "${sha}" is not the whole id of a commit`);
  const client = await connect(options, context);
  const { key, approval, links = [] } = await client.act(given, { action: "approve", sha });
  if (options.json) printJson(context.stdout, { key, approved: sha.toLowerCase() });
  else {
    // What runs beside it may wait yet by a rule of its own repository.
    const isBeside = links.some(({ headSha, problem }) => headSha !== undefined && problem === undefined);
    const without = approval ? "" : ", without the operator's secrets";
    const what = approval || isBeside ? `is approved; it runs once nothing is missing${without}` : `may run${without}`;
    printLine(context.stdout, `${key}: commit ${sha.slice(0, 7)} ${what}`);
  }
  return 0;
};
