/** What a forge's answer is worth: all of it as expected, or nothing. */
import { z } from "zod";
import { StacklingError } from "../../components/errors.ts";

/** The read, or `unreachable` with the words of what failed (see `PullRequestRead`). Other errors are passed on. */
export async function unlessUnreachable<T>(
  read: () => Promise<T>,
): Promise<T | { kind: "unreachable"; message: string }> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof StacklingError) return { kind: "unreachable", message: error.userMessage };
    throw error;
  }
}

/**
 * The answer in its shape. Throws `StacklingError` "Unreachable" for any other (a proxy's page, half an
 * answer), which says nothing about a pull request.
 */
export function parseAnswer<S extends z.ZodType>(
  schema: S,
  data: unknown,
  { action, server }: { readonly action: string; readonly server: string },
): z.infer<S> {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new StacklingError({
    reason: "Unreachable",
    userMessage: `${action}: the answer is not ${server}'s`,
    cause: z.prettifyError(parsed.error),
  });
}
