/** What came of looking at a block. */
export interface Finding {
  /** What whoever reads such a thing would say against it. */
  readonly fault?: string;
  /** A parser took it, and nobody here can judge what it says; names what it is. */
  readonly onlyParsed?: string;
  /** Nobody here reads it at all; names what it is. */
  readonly unread?: string;
}

export async function judged(run: () => unknown): Promise<Finding> {
  const fault = await faultOf(run);
  return fault === undefined ? {} : { fault };
}

export async function faultOf(run: () => unknown): Promise<string | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
