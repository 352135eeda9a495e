/**
 * Says on a pull request what became of its preview, in the parts that a forge has. Each part is found
 * again before it is made, so that a kill between making it and remembering its id does not make it
 * twice, and each is written only when it changed.
 */
import { StacklingError } from "../../components/errors.ts";
import type { Announcement, AnnouncementHandles } from "./forge.ts";
import { HeldBack } from "./held-back.ts";

export interface AnnounceInput {
  /** `acme/shop` */
  readonly repository: string;
  /** The repository's name in the config. */
  readonly name: string;
  readonly number: number;
  readonly announcement: Announcement;
  readonly handles: AnnouncementHandles;
}

/** Writes one part; returns the handles it changed, `undefined` values taking a handle away. */
export type AnnouncePart<D> = (deps: D, input: AnnounceInput) => Promise<Readonly<Record<string, string | undefined>>>;

/**
 * Announces everything that changed. A part that failed leaves its old handles, so the next call
 * tries it again, and is named in the handle `failed`; the other parts are written all the same. What was only
 * held back says in the handle `heldMs` for how long, and so does all that comes behind it.
 */
export async function announceParts<D>(
  { parts, server }: { readonly parts: readonly AnnouncePart<D>[]; readonly server: string },
  deps: D,
  input: AnnounceInput,
): Promise<AnnouncementHandles> {
  let handles: Record<string, string | undefined> = { ...input.handles, failed: undefined, heldMs: undefined };
  const failures: string[] = [];
  for (const part of parts) {
    try {
      handles = { ...handles, ...(await part(deps, { ...input, handles: defined(handles) })) };
    } catch (error) {
      const where = input.announcement.stage ? `"${input.announcement.key}"` : `on pull request ${input.number}`;
      const unknown = `announcing ${where}: ${server}'s answer was not understood`;
      failures.push(error instanceof StacklingError ? error.userMessage : unknown);
      if (!(error instanceof HeldBack)) continue;
      handles.heldMs = String(error.heldMs);
      break;
    }
  }
  return defined({ ...handles, ...(failures.length > 0 ? { failed: failures.join("; ") } : {}) });
}

function defined(handles: Readonly<Record<string, string | undefined>>): AnnouncementHandles {
  return Object.fromEntries(
    Object.entries(handles).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
