import { furtherLinks, type PreviewView } from "../../api/preview-view.ts";
import { givenWords, waitsFor } from "../../approval.ts";
import { commentText } from "../../comment/comment.ts";
import { driftLine } from "../../drift/words.ts";
import { egressLine, refusedLine } from "../../egress/words.ts";
import { checkLine } from "../../gates/words.ts";
import { smallMoneyWords } from "../../money/words.ts";
import { minuteOf } from "../../reason-words.ts";
import { rollbackWords } from "../../rollback.ts";
import { schemaLine } from "../../schema-words.ts";
import { promotedWords } from "../../stages/promotion.ts";
import { connect } from "../context.ts";
import { colorsFor, conditionOf, plain, printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const show: RunVerb = async ({ args: [key = ""], options, context }) => {
  const client = await connect(options, context);
  const preview = await client.find(key);
  if (options.json) {
    printJson(context.stdout, { ...preview, pause: await client.pause() });
    return 0;
  }
  const colors = colorsFor(context.stdout, context.environment);
  for (const [name, value] of rowsOf(preview))
    printLine(context.stdout, `${colors.dim(name.padEnd(12))} ${plain(value)}`);
  // Where there is a comment, it quotes the same lines.
  const refused = (preview.refusedCalls ?? []).map((call) => `refused call: ${refusedLine(call)}`);
  const lines = [...refused, ...checkLines(preview), ...(preview.comment ? [] : preview.excerpt)];
  if (lines.length > 0) printLine(context.stdout);
  for (const line of lines) printLine(context.stdout, `  ${colors.dim(plain(line))}`);
  if (preview.comment) printLine(context.stdout, `\n${plain(commentText(preview.comment))}`);
  return 0;
};

/** Of what serves, and of the commit that did not come to. */
function checkLines({ checks, failedChecks, commit }: PreviewView): readonly string[] {
  const failed = failedChecks && failedChecks.commit !== commit ? failedChecks : undefined;
  return [failed, checks].flatMap(
    (one) => one?.results.map((result) => `${one.commit.slice(0, 7)} ${checkLine(result)}`) ?? [],
  );
}

function rowsOf(preview: PreviewView): readonly (readonly [string, string])[] {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["key", preview.key],
    ["title", preview.title],
    ["author", preview.author],
    ["git branch", preview.gitBranch],
    ["condition", conditionOf(preview)],
    ["message", preview.message],
    ["link", preview.url],
    ...furtherLinks(preview).map(([name, url]) => [`  ${name}`, url] as const),
    ["commit", preview.commit],
    ["newest", preview.headSha === preview.commit ? undefined : preview.headSha],
    ...(preview.linked ?? []).map(({ said, commit }) => ["linked", `${said} at ${commit}`] as const),
    ...(preview.links ?? []).map(({ said, problem }) => ["not linked", problem && `${said}: ${problem}`] as const),
    ["approval", preview.awaitsApproval && `awaited for ${preview.awaitsApproval}`],
    ["approved", preview.approval && approvedLine(preview.approval)],
    ["not trusted", preview.untrusted && trustLine(preview.untrusted)],
    ["promoted", preview.promoted && `${promotedWords(preview.promoted)} ${minuteOf(preview.promoted.at)}`],
    ["promotion", preview.promotion && promotionLine(preview.promotion)],
    ["rolled back", preview.rolledBack && rollbackWords(preview.rolledBack, preview).replaceAll("`", "")],
    ["good before", preview.goodCommits?.map(({ sha }) => sha.slice(0, 7)).join(", ")],
    ["database", preview.database],
    ["db login", preview.loginValidUntil && `valid until ${minuteOf(preview.loginValidUntil)}, and renewed before`],
    ["schema", preview.schema && schemaLine(preview.schema)],
    ["scenario", preview.scenario && scenarioLine(preview.scenario, preview.scenarios)],
    ["flags", preview.flags && flagsLine(preview.flags)],
    ["egress", egressLine(preview)],
    ["stage", preview.stage],
    ["gone", time(preview.goneAt)],
    ["created", time(preview.createdAt)],
    ["last push", time(preview.lastPushAt)],
    ["last visit", time(preview.lastVisitAt)],
    ["idle since", time(preview.ends?.idleSince)],
    ["asleep at", preview.ends?.sleepsAt && `${minuteOf(preview.ends.sleepsAt)}, unless it is used`],
    ["kept", preview.kept ? "yes: neither age nor idleness removes it" : undefined],
    ["extended to", preview.kept ? undefined : time(preview.extendedTo)],
    [
      "goes at",
      preview.ends?.idleStop &&
        `${minuteOf(preview.ends.idleStop)}, unless it is used${preview.goesAt ? " (warned)" : ""}`,
    ],
    ["hard stop", time(preview.ends?.hardStop)],
    ["teardown", preview.teardownAt && `${minuteOf(preview.teardownAt)}, unless it is kept or extended beyond`],
    ["looked at", preview.dueAt && `again at ${minuteOf(preview.dueAt)}`],
    ["cost", preview.cost && costLine(preview.cost)],
    ["drift", preview.drift && driftLine(preview.drift)],
    ["stack", preview.stack],
  ];
  return rows.flatMap(([name, value]) => (value ? [[name, value] as const] : []));
}

function costLine({ total, month, currency, estimate }: NonNullable<PreviewView["cost"]>): string {
  const words = (amount: number) => smallMoneyWords(amount, currency);
  const isWhole = estimate?.unpriced.length === 0;
  const ahead = estimate
    ? `; ${isWhole ? `at most ${words(estimate.awakePerHour * 24)} a day awake` : estimate.words}`
    : "";
  return `${words(total)} so far, ${words(month)} of it this month${ahead}`;
}

function flagsLine(flags: NonNullable<PreviewView["flags"]>): string {
  return flags.map(({ name, value, setBy }) => `${name}=${value}${setBy ? ` (${setBy})` : ""}`).join(", ");
}

function promotionLine({ sha, by, waitsFor }: NonNullable<PreviewView["promotion"]>): string {
  return `asked for by ${by}: ${waitsFor ?? `${sha.slice(0, 7)} comes next`}`;
}

function scenarioLine(scenario: string, scenarios: PreviewView["scenarios"] = []): string {
  const others = scenarios.filter((name) => name !== scenario);
  return others.length > 0 ? `${scenario} (or ${others.join(", ")})` : scenario;
}

function approvedLine(approval: NonNullable<PreviewView["approval"]>): string | undefined {
  const [names, missing] = [givenWords(approval), waitsFor(approval)];
  const words = [names && `${approval.sha.slice(0, 7)} by ${names}`, missing].filter((one) => one !== undefined);
  return words.length === 0 ? undefined : words.join("; ").replaceAll("`", "");
}

function trustLine({ approved, isolated }: NonNullable<PreviewView["untrusted"]>): string {
  const by = approved ? `approved by ${approved.by}` : "approved";
  return `${by}; without the operator's secrets${isolated ? "" : "; not kept apart from the service's own files"}`;
}

function time(at: string | undefined): string | undefined {
  return at === undefined ? undefined : minuteOf(at);
}
