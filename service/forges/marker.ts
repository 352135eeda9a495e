/** The hidden first line by which our one comment on a pull request is found again. */
export function commentMarker(key: string): string {
  return `<!-- stackling:${key.replace(/[<>\r\n]|--/g, "_")} -->`;
}
