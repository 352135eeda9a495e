/** What a check's own page says: the comment without what moves by itself and what people say in comments. Pure. */
import { partsOf } from "./comment/comment.ts";
import { type FactOptions, previewFacts } from "./comment/facts.ts";
import type { Preview } from "./status.ts";

/** Markdown. Places in queues and ends are left out: they move, and each new text would be one more write. */
export function checkDetails(preview: Preview, options: FactOptions): string {
  const facts = previewFacts(preview, options);
  const settled = { ...facts, queue: undefined, staysUntil: undefined, removedOn: undefined };
  const { link, message, approval, notices, table, schema, excerpt } = partsOf(settled);
  return [link, message, approval, notices, table, schema, excerpt].filter((part) => part !== "").join("\n\n");
}
