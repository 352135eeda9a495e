/**
 * A message for Microsoft Teams: an Adaptive Card as its workflows take it. Text is in text runs, in which nothing is
 * markup (adaptivecards.io/explorer/TextRun.html); a fact set's values would be Markdown. Pure.
 */
import type { Piece, Row } from "../comment/rows.ts";
import type { ChatMessage } from "./message.ts";

/** A whole message may have 28 KB. */
const EXCERPT_MAX = 4_000;
const TEXT_MAX = 600;

export function teamsMessage(message: ChatMessage): object {
  const { headline, pullRequest, lines, rows, excerpt, url, pageUrl } = message;
  const body = [
    paragraph([run(headline, { weight: "Bolder", size: "Medium" })]),
    ...(pullRequest ? [paragraph([run(pullRequest.title, { url: pullRequest.url })])] : []),
    ...lines.map((line) => paragraph(runs(line))),
    ...rows.map(row),
    ...(excerpt.length > 0 ? [paragraph([run(excerpt.join("\n"), { code: true, most: EXCERPT_MAX })])] : []),
  ];
  const links = [
    ...(url === undefined ? [] : [{ type: "Action.OpenUrl", title: "Open", url }]),
    ...(pageUrl === undefined ? [] : [{ type: "Action.OpenUrl", title: "Status and logs", url: pageUrl }]),
  ];
  const card = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.4",
    fallbackText: headline,
    body,
    actions: links,
  };
  return {
    type: "message",
    summary: headline,
    attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content: card }],
  };
}

function row({ name, cells }: Row): object {
  const parts = cells.flatMap((pieces, index) => [...(index > 0 ? [run(" · ")] : []), ...pieces.map(piece)]);
  return paragraph([run(`${name}: `, { weight: "Bolder" }), ...parts]);
}

function piece(one: Piece): object {
  return "code" in one ? run(one.code, { code: true, url: one.url }) : run(one.text, { url: one.url });
}

/** Plain text with `code` in backticks. */
function runs(line: string): readonly object[] {
  const parts = line.split(/`([^`\n]+)`/);
  return parts.flatMap((part, index) => (part === "" ? [] : [run(part, { code: index % 2 === 1 })]));
}

interface RunStyle {
  readonly weight?: "Bolder";
  readonly size?: "Medium";
  readonly code?: boolean;
  readonly url?: string | undefined;
  readonly most?: number;
}

function run(text: string, { weight, size, code, url, most = TEXT_MAX }: RunStyle = {}): object {
  return {
    type: "TextRun",
    text: text.length <= most ? text : `${text.slice(0, most - 1).replace(/\p{Surrogate}$/u, "")}…`,
    ...(weight ? { weight } : {}),
    ...(size ? { size } : {}),
    ...(code ? { fontType: "Monospace" } : {}),
    ...(url === undefined ? {} : { selectAction: { type: "Action.OpenUrl", url } }),
  };
}

function paragraph(inlines: readonly object[]): object {
  return { type: "RichTextBlock", inlines, spacing: "Small" };
}
