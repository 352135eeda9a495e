/** Drift in sentences. Pure. */
import type { DriftSeen } from "../status.ts";

const SHOWN = 5;

/** `An edit by hand: database role "a" is missing; route "web" was changed.` */
export function driftWords(differences: DriftSeen["differences"]): string {
  const told = differences.slice(0, SHOWN).map(({ message }) => message);
  const more = differences.length - told.length;
  return `An edit by hand: ${told.join("; ")}${more > 0 ? `; and ${more} more` : ""}.`;
}

/** What the last looks came to, in one line. */
export function driftLine({ at, differences, unread }: DriftSeen): string {
  const seen =
    differences.length > 0 ? driftWords(differences) : at === undefined ? "" : `all is as it should be (${at})`;
  const failed = unread && `could not be read at ${unread.at}: ${unread.message}`;
  return [seen, failed].filter((part) => part).join("; ");
}
