import { globToRegExp } from "./glob.ts";

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
    if (isMatched(negated ? pattern.slice(1) : pattern, gitBranch)) matched = !negated;
  }
  return matched;
}

function isMatched(pattern: string, gitBranch: string): boolean {
  return pattern === "*" || globToRegExp(pattern).test(gitBranch);
}
