/** What counts must tell "there is none" from "nobody could look": taken for an end, the latter makes it count twice. */

/** There is nothing under the name, its device or process ended, or a part of the path is something else by now. */
const GONE = ["ENOENT", "ENOTDIR", "ENODEV", "ESRCH"];
/** Where we may not look there is nothing of ours. */
export const FORBIDDEN = ["EACCES", "EPERM"];

/** What a look at files comes to, or `absent` where there is nothing to look at; `more` are codes that mean that, too. */
export async function unlessGone<T, A>(look: Promise<T>, absent: A, more: readonly string[] = []): Promise<T | A> {
  try {
    return await look;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (GONE.includes(code) || more.includes(code)) return absent;
    throw error;
  }
}
