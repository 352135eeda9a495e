/** Who may do what on pages and by the API. Pure. */

/** Each may do what those before it may. */
export const ROLES = ["viewer", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/**
 * `look`: see previews, their logs and comments. `operate`: what the verbs do. `administer`: tokens, the audit, the
 * forge's App, the kill switch, what a sweep asks about, engines by hand.
 */
export type Deed = "look" | "operate" | "administer";

export interface Rights {
  readonly role: Role;
  /** Names of the repositories that they hold for; undefined: the whole instance. */
  readonly repositories?: readonly string[];
  /** Of an operator's: where more than a look is allowed; undefined: wherever a look is. */
  readonly operates?: readonly string[];
}

export interface Caller extends Rights {
  /** `@login`, an e-mail address, a token's name; `page` of the printed link, `api` of the instance's token. */
  readonly name: string;
}

/** Whatever is not one repository's: the list of services, a sweep, the audit. */
export const EVERYTHING = Symbol("the whole instance");

const NEEDED = { look: 0, operate: 1, administer: 2 } as const satisfies Readonly<Record<Deed, number>>;

/**
 * Whether they suffice for something at a repository, at the whole instance (`EVERYTHING`), or, where neither is
 * said, anywhere at all: then the page shows it and the answer is about what they hold for.
 */
export function may(rights: Rights | undefined, deed: Deed, where?: string | typeof EVERYTHING): boolean {
  if (rights === undefined || ROLES.indexOf(rights.role) < NEEDED[deed]) return false;
  const { repositories, operates } = rights;
  const held = deed === "look" ? repositories : within(repositories, operates);
  if (held === undefined) return true;
  if (where === EVERYTHING) return false;
  return where === undefined ? held.length > 0 : held.includes(where);
}

/** What of these they may look at. */
export function visibleTo<Item extends { readonly repository: string }>(
  rights: Rights | undefined,
  items: readonly Item[],
): readonly Item[] {
  const { repositories } = rights ?? {};
  return repositories === undefined ? items : items.filter(({ repository }) => repositories.includes(repository));
}

/** Names that they may look at, of which one is asked for or none in particular; undefined: all. */
export function readableOf(
  { repositories }: Pick<Rights, "repositories">,
  asked: string | undefined,
): readonly string[] | undefined {
  if (asked === undefined) return repositories;
  return repositories === undefined || repositories.includes(asked) ? [asked] : [];
}

function within(repositories: Rights["repositories"], operates: Rights["operates"]): readonly string[] | undefined {
  if (operates === undefined || repositories === undefined) return operates ?? repositories;
  return operates.filter((name) => repositories.includes(name));
}
