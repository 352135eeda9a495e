/** What a forge tells of people who log in there. */

/** `read`: because they may and not everybody; `public`: as everybody may. */
export type Right = "write" | "read" | "public" | "none";

/** Each throws `StacklingError` when the forge does not say. */
export interface ForgePeople {
  /** What somebody may do with the repository now, or did a minute ago; undefined where we may not ask. */
  rightOf(repository: { readonly path: string }, login: string): Promise<Right | undefined>;
  /** Whether somebody is in a team or group, such as `acme/platform`; absent where only they themselves are told. */
  isIn?(team: string, login: string): Promise<boolean | undefined>;
}
