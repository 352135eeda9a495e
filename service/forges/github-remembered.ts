/** What GitHub answered last time, so that the same question costs nothing of the limit while the answer is the same. */
import type { GithubAnswer } from "./github-client.ts";

/** A page of a hundred pull requests is 2 MB and more. */
const MOST_BYTES = 64 * 1024 * 1024;
/** What an entry takes beside its answer. */
const ENTRY_BYTES = 1_000;

export interface RememberedAnswer {
  readonly etag: string;
  readonly answer: GithubAnswer;
}

export interface RememberedAnswers {
  find(id: string): RememberedAnswer | undefined;
  /** Undefined: nothing of it is known any more. */
  keep(id: string, answered: RememberedAnswer | undefined): void;
}

/**
 * Kept by what they take and not by their number. What was asked for longest ago goes first: comments since a time that
 * has passed are never asked for again, the list of pull requests is at every look.
 */
export function rememberAnswers(): RememberedAnswers {
  /** In the order in which they were asked for. */
  const known = new Map<string, RememberedAnswer & { readonly bytes: number }>();
  let bytes = 0;
  const forget = (id: string) => {
    bytes -= known.get(id)?.bytes ?? 0;
    known.delete(id);
  };

  return {
    find(id) {
      const found = known.get(id);
      if (!found) return undefined;
      known.delete(id);
      known.set(id, found);
      return found;
    },
    keep(id, answered) {
      forget(id);
      if (!answered) return;
      const size = ENTRY_BYTES + Buffer.byteLength(JSON.stringify(answered.answer));
      known.set(id, { ...answered, bytes: size });
      bytes += size;
      for (const oldest of known.keys()) {
        if (bytes <= MOST_BYTES) return;
        forget(oldest);
      }
    },
  };
}
