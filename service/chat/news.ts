/** When a chat that cannot edit its messages gets a new one. Pure. */
import { readyEvent, readyMark } from "../ready-event.ts";
import type { Preview } from "../status.ts";
import { awaitedCommit } from "../trust.ts";

/** The same for as long as there is nothing new to be said; undefined where there is nothing worth a message. */
export function newsOf(preview: Preview): string | undefined {
  const { status } = preview;
  const waits = awaitedCommit(preview);
  if (waits !== undefined) return `approval ${waits}`;
  if (status.warned && status.stackExists) return `idle ${status.warned.goesAt}`;
  const event = readyEvent(preview, { pageUrl: "" });
  // The same commit may fail in another way when it is tried again.
  return event && (event.event === "failed" ? `${readyMark(event)} ${status.reason}` : readyMark(event));
}
