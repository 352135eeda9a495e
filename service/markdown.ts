/** Markdown as forges render it. Pure. */

/** Keeps a name in a log line from ringing at somebody's door, and an address in it from being a link. */
const ZERO_WIDTH_SPACE = "\u200b";

/** Text from outside, in one paragraph that can neither format, link nor mention; `code` stays code, which is as inert. */
export function text(outside: string): string {
  const parts = outside.replace(/\n{2,}/g, "\n").split(/(`[^`\n]+`)/);
  return parts.map((part, index) => (index % 2 === 1 ? part : escapeMarkdown(part))).join("");
}

/** Longer than any run of backticks inside, so that no line can end the block. */
export function fence(lines: readonly string[]): string {
  const runs = lines.flatMap((line) => line.match(/`+/g) ?? []).map((run) => run.length);
  return "`".repeat(Math.max(3, ...runs.map((length) => length + 1)));
}

/** Inert, on one line, and a link where there is an address. */
export function inCode(words: string, url?: string): string {
  const code = `\`${words.replace(/[\r\n]+/g, " ").replaceAll("`", "'")}\``;
  return url === undefined ? code : `[${code}](${url})`;
}

export function folded(title: string, body: string): string {
  return `<details>\n<summary>${title}</summary>\n\n${body}\n\n</details>`;
}

function escapeMarkdown(outside: string): string {
  return (
    outside
      .replace(/[\\`*_[\]<>|#~!]/g, (character) => `\\${character}`)
      .replace(/(?<!\w)@(?=\w)/g, `@${ZERO_WIDTH_SPACE}`)
      // Forges make links of what only looks like an address, too.
      .replace(/\b(https?|ftp):(?=\/\/)|\bwww(?=\.)/gi, (start) => `${start}${ZERO_WIDTH_SPACE}`)
      .replace(/\n/g, "  \n")
  );
}
