/** By which a comment of ours is told from a person's. */
export const MARKER_START = "<!-- stackling:";

/** The hidden first line by which our one comment on a pull request is found again. */
export function commentMarker(key: string): string {
  return `${MARKER_START}${key.replace(/[<>\r\n]|--/g, "_")} -->`;
}
