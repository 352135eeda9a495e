/** A right that was taken away counts for so long at most. */
const REMEMBERED_MS = 60_000;
const MOST_REMEMBERED = 5_000;

/** Whether a login may write to a repository; undefined where the credential may not ask. */
export type AskRight = (repository: string, login: string) => Promise<boolean | undefined>;

/** The same question, whose answer counts for a minute. */
export function rememberRights(ask: AskRight): AskRight {
  const known = new Map<string, { readonly may: boolean | undefined; readonly until: number }>();
  return async (repository, login) => {
    const id = `${repository} ${login}`;
    let found = known.get(id);
    if (!found || found.until < performance.now()) {
      found = { may: await ask(repository, login), until: performance.now() + REMEMBERED_MS };
      if (known.size >= MOST_REMEMBERED) known.clear();
      known.set(id, found);
    }
    return found.may;
  };
}
