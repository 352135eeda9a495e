/** Output where there is no room for all of it. Pure. */

/** The last whole lines of at most `most` characters, behind a line that says how many are not there. */
export function lastLines(lines: readonly string[], most: number): readonly string[] {
  let first = lines.length;
  for (let length = 0; first > 0; first--) {
    length += (lines[first - 1] ?? "").length + 1;
    if (length > most) break;
  }
  return first === 0 ? lines : [`[left out: ${first} of ${lines.length} lines]`, ...lines.slice(first)];
}
