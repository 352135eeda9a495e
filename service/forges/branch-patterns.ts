/**
 * True when a git branch matches one of the patterns and no later `!pattern` takes it out again.
 *
 * Globs as in GitHub's branch filters: `*` stops at `/`, `**` does not; a pattern that is only `*`
 * means every branch, because that is what people mean by it.
 */
export function matchesBranch(patterns: readonly string[], gitBranch: string): boolean {
  let matched = false;
  for (const pattern of patterns) {
    const negated = pattern.startsWith("!");
    if (globToRegExp(negated ? pattern.slice(1) : pattern).test(gitBranch)) matched = !negated;
  }
  return matched;
}

function globToRegExp(pattern: string): RegExp {
  if (pattern === "*") return /^/u;
  const source = pattern.replace(/\*\*\/?|\*|\?|[.+^${}()|[\]\\]/gu, (token) => {
    if (token === "**/") return "(?:.*/)?";
    if (token === "**") return ".*";
    if (token === "*") return "[^/]*";
    if (token === "?") return "[^/]";
    return `\\${token}`;
  });
  return new RegExp(`^${source}$`, "u");
}
