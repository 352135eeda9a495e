/** What git itself would refuse as a name; asked before a name becomes part of a line or an address. */

/** True for what can be a branch, tag or commit id (git-check-ref-format(1)). */
export function isPlausibleRef(gitRef: string): boolean {
  if (gitRef === "" || gitRef.length > 1024 || gitRef.startsWith("/") || gitRef.endsWith("/")) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those are refused
  return !/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|(^|\/)\.|\.lock($|\/)/u.test(gitRef);
}

/** True for a relative path without empty, `.` and `..` parts. */
export function isPlainPath(path: string): boolean {
  return !/[\n\0]/.test(path) && path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
