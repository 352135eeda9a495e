/** A message of Slack: blocks (docs.slack.dev/reference/block-kit) and a line of text for notifications. Pure. */
import { lastLines } from "../comment/last-lines.ts";
import type { Piece, Row } from "../comment/rows.ts";
import type { ChatMessage, ChatOutput } from "./message.ts";

/** Slack's own limits, in characters and in fields. */
const TEXT_MAX = 3_000;
const FIELD_MAX = 2_000;
const FIELDS_MAX = 10;
const VALUE_MAX = 2_000;
/** Of all texts together: Slack documents no such limit, and has one of some 10,000 (`msg_blocks_too_long`). */
const TEXTS_MAX = 9_000;
/** Of a piece of output, its title and the line that says how much is not there. */
const OUTPUT_HEAD = 200;

export interface SlackMessage {
  readonly text: string;
  readonly blocks: readonly object[];
  readonly unfurl_links: false;
  readonly unfurl_media: false;
}

export const ACTIONS = { extend: "stackling.extend", sleep: "stackling.sleep", destroy: "stackling.destroy" } as const;

/** Buttons only where a click of one can be answered. */
export function slackMessage(message: ChatMessage, { buttons }: { readonly buttons: boolean }): SlackMessage {
  const { headline, key, sign, words, url, pullRequest, lines, answers, rows, schema, outputs } = message;
  const title = pullRequest && linked(pullRequest.title, pullRequest.url);
  const named = linked(key, url);
  const actions = buttons ? actionsOf(message) : [];
  const page = !buttons && message.pageUrl !== undefined ? [linked("Status and logs", message.pageUrl)] : [];
  const room = roomFor(TEXTS_MAX);
  return {
    text: asText(headline),
    blocks: [
      ...section(room, [`${sign} *${named}* ${mrkdwn(words)}`, ...(title === undefined ? [] : [title]), ...page]),
      ...section(room, lines.map(mrkdwn)),
      ...section(room, answers.map(mrkdwn)),
      ...fields(room, rows),
      ...(schema ? section(room, [`*${mrkdwn(schema.title)}*`, ...schema.lines.map(mrkdwn)]) : []),
      ...outputs.flatMap((output) => preformatted(room, output)),
      ...(actions.length > 0 ? [{ type: "actions", elements: actions }] : []),
    ],
    unfurl_links: false,
    unfurl_media: false,
  };
}

/** `&`, `<` and `>` are all that is markup of links and mentions (docs.slack.dev/messaging/formatting-message-text). */
export function asText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** What all texts of a message may still take; what comes last goes without. */
interface Room {
  readonly left: () => number;
  take(text: string, most: number): string;
}

function roomFor(most: number): Room {
  let left = most;
  return {
    left: () => left,
    take(text, itsMost) {
      const taken = cut(text, Math.min(itsMost, left));
      left -= taken.length;
      return taken;
    },
  };
}

/** `verbatim`: what only looks like an address or a name is neither. */
function section(room: Room, lines: readonly string[]): readonly object[] {
  const text = room.take(lines.join("\n"), TEXT_MAX);
  return text === "" ? [] : [{ type: "section", text: { type: "mrkdwn", text, verbatim: true } }];
}

function fields(room: Room, rows: readonly Row[]): readonly object[] {
  const texts = rows.slice(0, FIELDS_MAX).map(({ name, cells }) => {
    const value = cells.map((pieces) => pieces.map(piece).join("")).join(" · ");
    return room.take(`*${name}*\n${value}`, FIELD_MAX);
  });
  const shown = texts.filter((text) => text !== "").map((text) => ({ type: "mrkdwn", text, verbatim: true }));
  return shown.length === 0 ? [] : [{ type: "section", fields: shown }];
}

function piece(one: Piece): string {
  if (!("code" in one)) return linked(one.text, one.url);
  const code = `\`${asText(one.code.replaceAll("`", "'"))}\``;
  return one.url === undefined ? code : `<${one.url}|${code}>`;
}

function linked(words: string, url: string | undefined): string {
  // A line of its own and a bar would end the link.
  return url === undefined ? mrkdwn(words) : `<${url}|${plain(words)}>`;
}

/** Code stays code; signs that make text bold, slanted or struck are kept from it. */
function mrkdwn(text: string): string {
  return text
    .split(/(`[^`\n]+`)/)
    .map((part, index) => (index % 2 === 1 ? asText(part) : plain(part)))
    .join("");
}

/** A joiner of no width on both sides, for Slack has no way to say that a sign is only a sign. */
function plain(text: string): string {
  return asText(text.replace(/[\r\n]+/g, " ")).replace(/[*_~`|]/g, (sign) =>
    sign === "|" ? "¦" : `\u2060${sign}\u2060`,
  );
}

/** Rich text: no sign in it means anything. */
function preformatted(room: Room, { title, lines }: ChatOutput): readonly object[] {
  const most = Math.min(TEXT_MAX, room.left()) - OUTPUT_HEAD;
  if (most < OUTPUT_HEAD) return [];
  const text = room.take(lastLines(lines, most).join("\n"), TEXT_MAX);
  const heading = { type: "text", text: room.take(title, OUTPUT_HEAD), style: { bold: true } };
  return [
    {
      type: "rich_text",
      elements: [
        { type: "rich_text_section", elements: [heading] },
        { type: "rich_text_preformatted", elements: [{ type: "text", text }] },
      ],
    },
  ];
}

/** Slack sends word of a click on a link's button too: where nobody would answer that, links are words. */
function actionsOf({ key, url, pageUrl, isThere, isAwake }: ChatMessage): readonly object[] {
  const links = [
    ...(url === undefined ? [] : [link("Open", url, "stackling.open")]),
    ...(pageUrl === undefined ? [] : [link("Status and logs", pageUrl, "stackling.page")]),
  ];
  if (!isThere || key.length > VALUE_MAX) return links;
  return [
    ...links,
    button("Extend by 48 h", { action_id: ACTIONS.extend, value: key }),
    ...(isAwake ? [button("Sleep", { action_id: ACTIONS.sleep, value: key })] : []),
    button("Destroy", { action_id: ACTIONS.destroy, value: key, style: "danger", confirm: confirmOf(key) }),
  ];
}

function link(text: string, url: string, action_id: string): object {
  return button(text, { url, action_id });
}

function button(text: string, rest: object): object {
  return { type: "button", text: { type: "plain_text", text }, ...rest };
}

function confirmOf(key: string): object {
  const plainText = (text: string) => ({ type: "plain_text", text });
  return {
    title: plainText("Destroy this preview?"),
    text: plainText(cut(`${key} goes, with its database and all that is in it, until the next push.`, 300)),
    confirm: plainText("Destroy"),
    deny: plainText("Keep"),
    style: "danger",
  };
}

function cut(text: string, most: number): string {
  if (most < 1) return "";
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/\p{Surrogate}$/u, "")}…`;
}
