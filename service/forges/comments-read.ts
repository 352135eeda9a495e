import type { CommentsRead, PullRequestComment } from "./forge.ts";

/**
 * What a forge showed, as a look takes it: oldest first, of those only what persons say. The last one counts as
 * handled whoever it is of.
 */
export function commentsRead<Shown extends { readonly id: number; readonly created_at: string }>(
  found: readonly Shown[],
  {
    isPersons,
    present,
    more = false,
  }: {
    readonly isPersons: (shown: Shown) => boolean;
    readonly present: (shown: Shown) => PullRequestComment;
    readonly more?: boolean;
  },
): CommentsRead {
  const sorted = found.toSorted((one, other) => one.id - other.id);
  const last = sorted.at(-1);
  return {
    kind: "found",
    comments: sorted.filter(isPersons).map(present),
    more,
    ...(last ? { last: { id: last.id, at: last.created_at } } : {}),
  };
}
