/** What was refused is in the audit, too, and so rarely that whoever is refused cannot fill it. */
import { createAttempts } from "../attempts.ts";
import type { Audit, AuditNote } from "../audit.ts";

/** Of one person the same thing once in a while, and so many things at all; so many of one place, too. */
const SAME = { most: 1, seconds: 600 } as const;
const ALL = { most: 20, seconds: 600 } as const;

export type Refusal = Omit<AuditNote, "outcome">;

/**
 * Writes down one that was refused; the same not every time. Never rejects.
 *
 * @param from where it came from, if whoever did may have as many names as they like
 */
export type NoteRefusal = (note: Refusal, from?: string) => Promise<void>;

export function createRefusals(audit: Pick<Audit, "record">): NoteRefusal {
  const [same, ofOne, ofPlace] = [createAttempts(SAME), createAttempts(ALL), createAttempts(ALL)];
  return async (note, from) => {
    const { actor, action, key } = note;
    const isMuch =
      (await same.spend(JSON.stringify([actor, action, key]))) ??
      (await ofOne.spend(actor)) ??
      (from === undefined ? undefined : await ofPlace.spend(from));
    if (isMuch === undefined) await audit.record({ ...note, outcome: "refused" });
  };
}
