/** A right that was taken away counts for so long at most. */
const REMEMBERED_MS = 60_000;
const MOST_REMEMBERED = 5_000;

/** What a login may do in a repository, or whether it is of a team; undefined where the credential may not ask. */
export type AskRight<Said> = (place: string, login: string) => Promise<Said>;

/** The same question, whose answer counts for a minute. */
export function rememberRights<Said>(ask: AskRight<Said>): AskRight<Said> {
  const known = new Map<string, { readonly said: Said; readonly until: number }>();
  return async (place, login) => {
    const id = `${place} ${login}`;
    let found = known.get(id);
    if (!found || found.until < performance.now()) {
      found = { said: await ask(place, login), until: performance.now() + REMEMBERED_MS };
      if (known.size >= MOST_REMEMBERED) known.clear();
      known.set(id, found);
    }
    return found.said;
  };
}
