/** The one comment on a pull request, and the line beside its check. Pure; the same preview gives the same text. */
import { mainUrlOf } from "../infra/names.ts";
import { ALARM_AFTER, isAlarming } from "./alarm.ts";
import { COMMANDS } from "./commands/verbs.ts";
import { driftWords } from "./drift/words.ts";
import { flagFaults, flagsSet } from "./flags.ts";
import { addressOf } from "./forges/addresses.ts";
import { commentMarker } from "./forges/marker.ts";
import { KEEP_LABEL } from "./lifecycle.ts";
import { fence, folded, text } from "./markdown.ts";
import { minuteOf, reasonWords } from "./reason-words.ts";
import { rollbackWords, rolledBackOf } from "./rollback.ts";
import { scenarioFaults } from "./scenarios.ts";
import { schemaSection, schemaView, schemaWarning } from "./schema-words.ts";
import type { Preview } from "./status.ts";
import { approvalNote, approvalRequest } from "./trust.ts";

/** GitHub's limit of a deployment's description. */
const SUMMARY_MAX = 140;
const EXCERPT_LINE_MAX = 400;
const LOGINS_SHOWN = 5;

export interface CommentOptions {
  /** The operator's address to go to while the preview does not serve. */
  readonly fallbackUrl?: string;
}

/** Conditions in which waiting for the link helps nobody. */
const OFFERED: ReadonlySet<string> = new Set(["Gone", "Blocked", "ApprovalNeeded", "Paused", "Destroying"]);

/** Markdown as GitHub renders it, the hidden marker in its first line. Text from outside is escaped. */
export function renderComment(preview: Preview, { fallbackUrl }: CommentOptions = {}): string {
  const { status, key } = preview;
  const { sign, words } = reasonWords(status.reason);
  const sections = [
    `### ${sign} Preview \`${key}\` ${words}`,
    link(preview),
    status.reason === "Healthy" ? undefined : text(status.message),
    approvalRequest(preview, { inComments: takesCommands(preview) }),
    rolledBack(preview),
    warning(preview),
    isAlarming(preview) ? STUCK_NOTE : undefined,
    drift(preview.status),
    labelNote(preview),
    servesOn(preview.status) ? "The last good version goes on serving." : undefined,
    fallbackUrl !== undefined && OFFERED.has(status.reason) ? `Meanwhile: <${fallbackUrl}>` : undefined,
    answers(preview),
    table(preview),
    ...schema(preview),
    previewYamlNote(preview),
    excerpt(status.excerpt),
    commands(preview),
  ];
  return `${commentMarker(key)}\n${sections.filter((section) => section !== undefined).join("\n\n")}\n`;
}

/** The comment where nothing renders it: without its marker, and unfolded. */
export function commentText(comment: string): string {
  const unfolded = comment.replace(/<summary>(.*?)<\/summary>/g, "$1").replace(/<\/?details>\n?/g, "");
  return unfolded
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

/** One line of plain text, at most 140 characters. */
export function renderSummary({ status, intents }: Pick<Preview, "status" | "intents">): string {
  const { words } = reasonWords(status.reason);
  const start = `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`.replaceAll("`", "");
  const back = rolledBackOf({ status, intents });
  const serves = back ? `${start}. ${rollbackWords(back).replaceAll("`", "")}` : start;
  const line = status.reason === "Healthy" ? serves : `${start}: ${status.message}`;
  const plain = line.replace(/\s+/g, " ").trim();
  // Cut between characters, never inside one that takes two code units.
  return plain.length <= SUMMARY_MAX ? plain : `${plain.slice(0, SUMMARY_MAX - 1).replace(/\p{Surrogate}$/u, "")}…`;
}

/** Address of the main service; undefined until a first version has answered. */
export function mainUrl({ key, status }: Pick<Preview, "key" | "status">): string | undefined {
  return mainUrlOf(key, status.live?.urls ?? {});
}

const STUCK_NOTE = [
  "> [!CAUTION]",
  `> Removing it failed ${ALARM_AFTER} times and more. It is tried again at least once an hour, for as long as it takes, and the operator's \`stackling doctor\` names it.`,
].join("\n");

function previewYamlNote(preview: Preview): string | undefined {
  if (!changesPreviewYaml(preview)) return undefined;
  const { fromHead = [] } = preview.status.live ?? {};
  const now = fromHead.map((key) => `\`${key}\``).join(", ");
  const then = "The file is read from the base branch, so the change takes effect after the merge.";
  const some = `Of that ${now} takes effect at once, for the operator lets it; whatever else it changes does after the merge.`;
  return ["> [!NOTE]", `> This pull request changes \`preview.yaml\`. ${fromHead.length > 0 ? some : then}`].join("\n");
}

/** Noted by the notifier, once a commit. */
function changesPreviewYaml({ handles, status, pullRequest }: Preview): boolean {
  return handles.previewYaml === `${status.headSha ?? pullRequest?.headSha} changed`;
}

/** The one line in which somebody is mentioned, and only where the name is one that forges give. */
function warning(preview: Preview): string | undefined {
  const { status, pullRequest } = preview;
  // While all is stopped the time left does not run down.
  if (!status.warned || !status.stackExists || status.reason === "Paused") return undefined;
  const { idleSince, goesAt } = status.warned;
  const author = pullRequest?.author ?? "";
  const mention = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/.test(author) ? `@${author} ` : "";
  return [
    "> [!WARNING]",
    `> ${mention}Nobody has used this preview since ${minuteOf(idleSince)}. It is removed on ${minuteOf(goesAt)}.`,
    `> A visit or a push keeps it; so does \`${keepCommand(preview)}\`, or the label \`${KEEP_LABEL}\`.`,
  ].join("\n");
}

/** By which people keep it where they read this. */
function keepCommand(preview: Preview): string {
  return takesCommands(preview) ? "/preview keep" : `stackling keep '${preview.key}'`;
}

/** Somebody changed by hand what the preview owns. */
function drift({ drift: seen, live }: Preview["status"]): string | undefined {
  if (!live || !seen || seen.differences.length === 0) return undefined;
  return ["> [!NOTE]", `> ${text(driftWords(seen.differences))}`].join("\n");
}

/** Where the link leads to another commit than people who read this expect. */
function rolledBack(preview: Preview): string | undefined {
  const back = rolledBackOf(preview);
  return back && ["> [!IMPORTANT]", `> ${text(rollbackWords(back))}`].join("\n");
}

/** Nothing where its migrations changed nothing. */
function schema(preview: Preview): readonly (string | undefined)[] {
  const view = schemaView(preview);
  if (!view) return [];
  const { title, body } = schemaSection(view);
  return [schemaWarning(view), folded(title, body)];
}

/** Those that somebody set; the others are as everywhere. */
function flags({ status }: Preview): readonly [string, string] | undefined {
  const set = Object.entries(flagsSet(status.live?.flags));
  return set.length > 0 ? ["Flags", set.map(([name, value]) => `\`${name}=${value}\``).join(" · ")] : undefined;
}

/** Labels that ask for what there is not. */
function labelNote({ status: { live }, pullRequest }: Preview): string | undefined {
  if (!live) return undefined;
  const labels = pullRequest?.labels ?? [];
  const faults = [...flagFaults(live.flags ?? {}, labels), ...scenarioFaults(live.database, labels)];
  return faults.length > 0 ? ["> [!NOTE]", ...faults.map((fault) => `> ${text(fault)}`)].join("\n") : undefined;
}

function teardown(preview: Preview): readonly [string, string] | undefined {
  const { status } = preview;
  if (status.teardownAt === undefined || !status.stackExists || status.reason === "Paused") return undefined;
  const keeps = `\`${keepCommand(preview)}\` or the label \`${KEEP_LABEL}\` keeps it`;
  return ["Removed on", `${minuteOf(status.teardownAt)}, as all are then; ${keeps}`];
}

function approval(preview: Preview): readonly [string, string] | undefined {
  const note = approvalNote(preview);
  return note === undefined ? undefined : ["Not trusted", text(note)];
}

/** By a click on a page of the preview's own, which asks once more. */
function logins(preview: Preview): readonly [string, string] | undefined {
  const users = preview.status.live?.login?.users ?? [];
  const url = mainUrl(preview);
  if (users.length === 0 || url === undefined) return undefined;
  const linkTo = (query: string) => `${url}/.stackling/login${query}`;
  const links = users.slice(0, LOGINS_SHOWN).map(({ name, title }) => {
    const query = new URLSearchParams({ as: name }).toString();
    // A table is cut into cells before anything in it is code.
    return `[${text(title.replaceAll("`", "'"))}](${linkTo(`?${query}`)})`;
  });
  const more = users.length > LOGINS_SHOWN ? [`[all ${users.length}](${linkTo("")})`] : [];
  return ["Log in as", [...links, ...more].join(" · ")];
}

function hardStop(preview: Preview): readonly [string, string] | undefined {
  const { key, status } = preview;
  if (status.hardStop === undefined || !status.stackExists || status.reason === "Paused") return undefined;
  const extend = takesCommands(preview) ? "/preview extend 14d" : `stackling extend '${key}' 14d`;
  return ["Stays until", `${minuteOf(status.hardStop)} at most; \`${extend}\` moves that`];
}

function servesOn({ condition, live, reason }: Preview["status"]): boolean {
  return condition === "Stalled" && live !== undefined && reason !== "DestroyFailed";
}

function link(preview: Preview): string | undefined {
  const url = mainUrl(preview);
  if (!url || preview.status.reason === "Destroying") return undefined;
  return `**[${new URL(url).host}](${url})**`;
}

function table(preview: Preview): string {
  const { status } = preview;
  const { live, outputs } = status;
  const head = status.headSha ?? preview.pullRequest?.headSha;
  const rows: (readonly [string, string] | undefined)[] = [
    live && ["Commit", commit(preview, live.source.commit)],
    head && head !== live?.source.commit ? [live ? "Newest commit" : "Commit", commit(preview, head)] : undefined,
    live && ["Services", live.services.map(({ name }) => service(name, live.urls[name])).join(" · ")],
    typeof outputs.database === "string" ? ["Database branch", `\`${outputs.database}\``] : undefined,
    live?.database?.scenario === undefined ? undefined : ["Seeded with", `\`${live.database.scenario}\``],
    logins(preview),
    approval(preview),
    flags(preview),
    ["Since", minuteOf(status.since)],
    teardown(preview),
    hardStop(preview),
  ];
  const lines = rows.filter((row) => row !== undefined).map(([name, value]) => `| ${name} | ${value} |`);
  return ["| | |", "|---|---|", ...lines].join("\n");
}

function commit({ pullRequest }: Preview, sha: string): string {
  const short = `\`${sha.slice(0, 7)}\``;
  const url = addressOf(pullRequest?.commitUrl, sha);
  return url === undefined ? short : `[${short}](${url})`;
}

function service(name: string, url: string | undefined): string {
  return url ? `[${name}](${url})` : name;
}

function excerpt(lines: readonly string[]): string | undefined {
  if (lines.length === 0) return undefined;
  const shown = lines.map((line) => line.replace(/[\r\n]+/g, " ").slice(0, EXCERPT_LINE_MAX));
  return folded("What it said last", `${fence(shown)}text\n${shown.join("\n")}\n${fence(shown)}`);
}

/** The last slash commands, each with what came of it. Nobody is mentioned: who asked knows. */
function answers({ intents, status }: Preview): string | undefined {
  const lines = intents.commands?.answers?.map(({ said, by, outcome, answer }) => {
    const state = said === "status" && outcome === "done" ? `, it ${reasonWords(status.reason).words}` : "";
    return `- \`/preview ${said}\` by ${text(`@${by}`)}: ${outcome === "done" ? "" : "not done, "}${text(answer)}${state}`;
  });
  return lines?.join("\n");
}

function commands(preview: Preview): string | undefined {
  const { key, status } = preview;
  const inComments = takesCommands(preview);
  if (status.reason === "Gone" && !inComments) return undefined;
  const verbs = [...LOOKING, ...(inComments ? [] : ACTING)];
  const byCli = verbs.map(([verb, does]) => [`stackling ${verb} '${key}'`, does] as const);
  if (!inComments) return folded("Commands", choices(byCli));
  const slash = Object.values(COMMANDS).map(([usage, does]) => [`/preview ${usage}`, does] as const);
  return folded(
    "Commands",
    `In a comment, by who may write to the repository:\n\n${choices(slash)}\n\nOn the command line:\n\n${choices(byCli)}`,
  );
}

const LOOKING = [
  ["show", "everything that is known of it"],
  ["logs", "what its services say"],
  ["open", "opens it in the browser"],
] as const;
const ACTING = [
  ["redeploy", "builds the newest commit again"],
  ["down", "takes it down until the next push"],
] as const;

/** Where the forge has pages of its own people comment there; on one that is closed only a question is answered. */
function takesCommands({ pullRequest, intents }: Preview): boolean {
  if (pullRequest?.url === undefined) return false;
  return pullRequest.state === "open" || intents.commands?.answers !== undefined;
}

function choices(rows: readonly (readonly [code: string, does: string])[]): string {
  return ["| | |", "|---|---|", ...rows.map(([code, does]) => `| \`${code}\` | ${does} |`)].join("\n");
}
