import { globToRegExp } from "./glob.ts";

/** Which changed files count. Globs from the repository's root; one that names a folder means all below it. */
export interface PathRules {
  /** Undefined: all but those of `ignorePaths`. */
  readonly paths?: readonly string[];
  /** These never do, whatever `paths` says. */
  readonly ignorePaths?: readonly string[];
}

/** True when one of the files counts. */
export function matchesPaths({ paths = ["**"], ignorePaths = [] }: PathRules, files: readonly string[]): boolean {
  const wanted = paths.flatMap(toRegExps);
  const ignored = ignorePaths.flatMap(toRegExps);
  return files.some((file) => wanted.some((one) => one.test(file)) && !ignored.some((one) => one.test(file)));
}

/** `docs/` and `docs` are what people write for `docs/**`. */
function toRegExps(pattern: string): readonly RegExp[] {
  if (pattern.endsWith("/")) return [globToRegExp(`${pattern}**`)];
  const isName = !/[*?]/.test(pattern.slice(pattern.lastIndexOf("/") + 1));
  return [pattern, ...(isName ? [`${pattern}/**`] : [])].map(globToRegExp);
}
