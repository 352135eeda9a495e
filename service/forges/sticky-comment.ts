import { digestOf } from "../digest.ts";
import type { AnnounceInput } from "./announce-parts.ts";
import { commentMarker } from "./marker.ts";

/** Comments of one pull request, as far as ours needs them. */
export interface CommentPlace {
  /** Id of our own comment that begins with the marker; anybody can write the marker. */
  find(marker: string): Promise<string | undefined>;
  /** False when there is none such any more. */
  edit(id: string, body: string): Promise<boolean>;
  /** `refused`: the status of an answer that will not change by asking again. */
  make(body: string): Promise<{ readonly id: string } | { readonly refused: number }>;
}

/** The sticky comment: found by its id, else by its marker, else made. A comment deleted by a person is made again. */
export async function writeStickyComment(
  place: CommentPlace,
  { announcement, handles }: Pick<AnnounceInput, "announcement" | "handles">,
): Promise<Readonly<Record<string, string | undefined>>> {
  const { comment: body, key } = announcement;
  if (body === undefined) return {};
  const digest = digestOf(body);
  if (handles.commentDigest === digest) return {};
  const known = handles.comment ?? (await place.find(commentMarker(key)));
  if (known && (await place.edit(known, body))) {
    return { comment: known, commentDigest: digest, commentRefused: undefined };
  }
  const made = await place.make(body);
  // Locked, or no permission: said once, tried again when there is something new to say.
  if ("refused" in made) return { comment: undefined, commentDigest: digest, commentRefused: String(made.refused) };
  return { comment: made.id, commentDigest: digest, commentRefused: undefined };
}
