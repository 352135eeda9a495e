/** Where somebody goes who was let in: back to where they came from, and never to another host. */
import { ownPathOf } from "./own-paths.ts";

/** `to` as an address at `origin`; its front page when it leads anywhere else. */
export function addressWithin(origin: string, to: string): string {
  return isAddressWithin(origin, to) ? new URL(to, origin).href : `${origin}/`;
}

/** True of a path at `origin` that leads to nowhere else. */
export function isAddressWithin(origin: string, to: string): boolean {
  // Parsed as a browser does, for which `//host` and `/\host` are other hosts.
  if (!to.startsWith("/") || !URL.canParse(to, origin)) return false;
  const url = new URL(to, origin);
  return url.origin === new URL(origin).origin && isGoal(url);
}

/** An address of the application, or of ours the one where users of its seeds are chosen. */
function isGoal({ pathname, searchParams }: URL): boolean {
  const own = ownPathOf(pathname);
  return own === undefined || (own === "login" && !searchParams.has("door"));
}
