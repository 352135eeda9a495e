/** The line beside a check. Pure. */
import { reasonWords } from "../reason-words.ts";
import { rollbackWords, rolledBackOf } from "../rollback.ts";
import type { Preview } from "../status.ts";

/** GitHub's limit of a deployment's description. */
const SUMMARY_MAX = 140;

/** One line of plain text, at most 140 characters. */
export function renderSummary({ status, intents }: Pick<Preview, "status" | "intents">): string {
  const { words } = reasonWords(status.reason);
  const start = `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`.replaceAll("`", "");
  const back = rolledBackOf({ status, intents });
  const serves = back ? `${start}. ${rollbackWords(back, intents).replaceAll("`", "")}` : start;
  const line = status.reason === "Healthy" ? serves : `${start}: ${status.message}`;
  const plain = line.replace(/\s+/g, " ").trim();
  // Cut between characters, never inside one that takes two code units.
  return plain.length <= SUMMARY_MAX ? plain : `${plain.slice(0, SUMMARY_MAX - 1).replace(/\p{Surrogate}$/u, "")}…`;
}
