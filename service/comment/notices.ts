/** What people who open a pull request should not miss. Pure. */
import { ALARM_AFTER, isAlarming } from "../alarm.ts";
import { driftWords } from "../drift/words.ts";
import { flagFaults } from "../flags.ts";
import { KEEP_LABEL } from "../lifecycle.ts";
import { type Holding, holdingWords } from "../money/budgets/words.ts";
import { minuteOf } from "../reason-words.ts";
import { rollbackWords, rolledBackOf } from "../rollback.ts";
import { scenarioFaults } from "../scenarios.ts";
import { schemaLoss, schemaView } from "../schema-words.ts";
import type { Preview } from "../status.ts";
import { linkProblems } from "./linked.ts";

export interface Notice {
  readonly tone: "note" | "important" | "warning" | "caution";
  /** Sentences, a line each; plain, with `code` in backticks. */
  readonly lines: readonly string[];
  /** Login of the one person who is to be called by it, where it is a name that forges give. */
  readonly mention?: string;
}

export function noticesOf(
  preview: Preview,
  { keepCommand, budget }: { readonly keepCommand: string; readonly budget?: Holding | undefined },
): readonly Notice[] {
  const all = [
    rolledBack(preview),
    idle(preview, keepCommand),
    stuck(preview),
    drift(preview),
    labels(preview),
    links(preview),
    schema(preview),
    previewYaml(preview),
    overBudget(preview, budget),
  ];
  return all.filter((notice) => notice !== undefined);
}

/** Where the link leads to another commit than people who read this expect. */
function rolledBack(preview: Preview): Notice | undefined {
  const back = rolledBackOf(preview);
  return back && { tone: "important", lines: [rollbackWords(back, preview.intents)] };
}

/** The one in which somebody is mentioned. */
function idle({ status, pullRequest }: Preview, keepCommand: string): Notice | undefined {
  // While all is stopped the time left does not run down.
  if (!status.warned || !status.stackExists || status.reason === "Paused") return undefined;
  const { idleSince, goesAt } = status.warned;
  const author = pullRequest?.author ?? "";
  const use = status.reason === "OverBudget" && !status.awake ? "A push" : "A visit or a push";
  return {
    tone: "warning",
    ...(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/.test(author) ? { mention: author } : {}),
    lines: [
      `Nobody has used this preview since ${minuteOf(idleSince)}. It is removed on ${minuteOf(goesAt)}.`,
      `${use} keeps it; so does \`${keepCommand}\`, or the label \`${KEEP_LABEL}\`.`,
    ],
  };
}

function stuck(preview: Preview): Notice | undefined {
  if (!isAlarming(preview)) return undefined;
  const line = `Removing it failed ${ALARM_AFTER} times and more. It is tried again at least once an hour, for as long as it takes, and the operator's \`stackling doctor\` names it.`;
  return { tone: "caution", lines: [line] };
}

/** Somebody changed by hand what the preview owns. */
function drift({ status: { drift: seen, live } }: Preview): Notice | undefined {
  if (!live || !seen || seen.differences.length === 0) return undefined;
  return { tone: "note", lines: [driftWords(seen.differences)] };
}

/** Labels that ask for what there is not. */
function labels({ status: { live }, pullRequest }: Preview): Notice | undefined {
  if (!live) return undefined;
  const said = pullRequest?.labels ?? [];
  const lines = [...flagFaults(live.flags ?? {}, said), ...scenarioFaults(live.database, said)];
  return lines.length > 0 ? { tone: "note", lines } : undefined;
}

function links(preview: Preview): Notice | undefined {
  const lines = linkProblems(preview);
  return lines.length > 0 ? { tone: "note", lines } : undefined;
}

/** Rows go with a table or a column, which the other version may still need. */
function schema(preview: Preview): Notice | undefined {
  const view = schemaView(preview);
  const lost = view && schemaLoss(view);
  return lost === undefined ? undefined : { tone: "warning", lines: [`Its migrations drop ${lost}.`] };
}

/** Of all previews together only what it does to this one; where it does the most, the message says it. */
function overBudget({ status: { reason } }: Preview, budget: Holding | undefined): Notice | undefined {
  if (!budget || reason === "OverBudget" || reason === "Paused" || reason === "Gone") return undefined;
  if (budget.level === "warned" && budget.of === "all") return undefined;
  return { tone: budget.level === "warned" ? "note" : "warning", lines: holdingWords(budget) };
}

function previewYaml(preview: Preview): Notice | undefined {
  if (!changesPreviewYaml(preview)) return undefined;
  const { fromHead = [] } = preview.status.live ?? {};
  const now = fromHead.map((key) => `\`${key}\``).join(", ");
  const then = "The file is read from the base branch, so the change takes effect after the merge.";
  const some = `Of that ${now} takes effect at once, for the operator lets it; whatever else it changes does after the merge.`;
  return {
    tone: "note",
    lines: [`This pull request changes \`preview.yaml\`. ${fromHead.length > 0 ? some : then}`],
  };
}

/** Noted by the notifier, once a commit. */
function changesPreviewYaml({ handles, status, pullRequest }: Preview): boolean {
  return handles.previewYaml === `${status.headSha ?? pullRequest?.headSha} changed`;
}
