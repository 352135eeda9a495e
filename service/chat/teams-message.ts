/**
 * A message for Microsoft Teams: an Adaptive Card as its workflows take it. Text is in text runs, in which nothing is
 * markup (adaptivecards.io/explorer/TextRun.html); a fact set's values would be Markdown. Pure.
 */
import { lastLines } from "../comment/last-lines.ts";
import type { Piece, Row } from "../comment/rows.ts";
import type { ChatMessage, ChatOutput } from "./message.ts";

/** A whole message may have 28 KB. */
const BODY_MAX_BYTES = 24_000;
const OUTPUT_MAX = 4_000;
const TEXT_MAX = 600;

export function teamsMessage(message: ChatMessage): object {
  const { headline, pullRequest, lines, answers, rows, schema, outputs, url, pageUrl } = message;
  const body = fitting([
    [paragraph([run(headline, { weight: "Bolder", size: "Medium" })])],
    pullRequest ? [paragraph([run(pullRequest.title, { url: pullRequest.url })])] : [],
    ...[...lines, ...answers].map((line) => [paragraph(runs(line))]),
    ...rows.map((one) => [row(one)]),
    schema ? [heading(schema.title), ...schema.lines.map((line) => paragraph(runs(line)))] : [],
    ...outputs.map(output),
  ]);
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

/** As many as there is room for, from the first on; what belongs together comes whole or not at all. */
function fitting(groups: readonly (readonly object[])[]): readonly object[] {
  let left = BODY_MAX_BYTES;
  const fit = groups.filter((group) => {
    left -= Buffer.byteLength(JSON.stringify(group));
    return left >= 0;
  });
  return fit.flat();
}

function heading(words: string): object {
  return paragraph([run(words, { weight: "Bolder" })]);
}

function output({ title, lines }: ChatOutput): readonly object[] {
  const text = lastLines(lines, OUTPUT_MAX).join("\n");
  return [heading(title), paragraph([run(text, { code: true, most: text.length })])];
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
