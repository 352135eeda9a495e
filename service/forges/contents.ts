/** A file as the contents API of GitHub shows it, and Gitea's after it. */
import { z } from "zod";

const FILE_MAX_BYTES = 1024 * 1024;

/** Its text. What is over 1 MiB comes without content and has no shape here; a folder is a list and no file. */
export const fileText = z.union([
  z.array(z.unknown()).transform(() => undefined),
  z
    .object({
      type: z.literal("file"),
      size: z.number().max(FILE_MAX_BYTES),
      content: z.string(),
      encoding: z.literal("base64"),
    })
    .transform(({ content }) => Buffer.from(content, "base64").toString("utf8")),
  z.object({ type: z.enum(["symlink", "submodule", "dir"]) }).transform(() => undefined),
]);

export const commitSha = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/);

/** Each part for itself, so that the slashes stay. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
