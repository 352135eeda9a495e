/** What logins at a forge need to know of its kind: one file each, and an entry in `forge-kinds.ts`. */
import type { ForgePeople, Right } from "../../forges/people.ts";
import type { ForgePlace } from "./door.ts";

/** Where a server is, without slashes at the ends. */
export type ForgeServer = Pick<ForgePlace, "webUrl" | "apiUrl">;

export interface ForgeKind {
  /** As people call it. */
  readonly label: string;
  /** Scope that is asked for where the config names none. */
  readonly scope: { readonly door: string; readonly pages: string };
  /** By the options of its entry in `forges`; undefined where they name none. */
  readonly serverOf: (options: unknown) => ForgeServer | undefined;
  /** Behind the server's address (RFC 6749, 3). */
  readonly paths: { readonly authorize: string; readonly token: string };
  /** By what the server's `/user` answers. Throws for another answer. */
  readonly loginOf: (answer: unknown) => string;
  /** Asks with the token of who came. Absent: the forge is asked about them with Stackling's own. */
  readonly asked?: (server: ForgeServer, token: string, login: () => Promise<string>) => Allowed;
}

/** What one person may do. */
export interface Allowed {
  /** Undefined: nobody may ask that. */
  readonly rightOf: (repository: { readonly name: string; readonly path: string }) => Promise<Right | undefined>;
  readonly isIn: (team: string) => Promise<boolean | undefined>;
}

export function allowedBy(people: ForgePeople | undefined, login: () => Promise<string>): Allowed {
  return {
    rightOf: async (repository) => people?.rightOf(repository, await login()),
    isIn: async (team) => people?.isIn?.(team, await login()),
  };
}
