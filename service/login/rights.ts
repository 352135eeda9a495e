/** What somebody may do who logged in. Pure. */
import type { DashboardConfig } from "../config/dashboard.ts";
import { type Rights, ROLES } from "../roles.ts";
import type { LoggedIn } from "../session.ts";

/**
 * By the highest role that names them, for the whole instance; else what the forge lets them do, by repository.
 * Undefined: nothing.
 *
 * @param configured names of the repositories that there are
 */
export function rightsBy(
  { ids, reads = [], writes = [] }: Pick<LoggedIn, "ids" | "reads" | "writes">,
  roles: DashboardConfig["roles"],
  configured: ReadonlySet<string>,
): Rights | undefined {
  const named = ROLES.findLast((role) => roles[role]?.some((name) => ids.includes(name.toLowerCase())));
  if (named) return { role: named };
  const operates = writes.filter((name) => configured.has(name));
  const repositories = [...new Set([...reads.filter((name) => configured.has(name)), ...operates])];
  if (repositories.length === 0) return undefined;
  return operates.length > 0 ? { role: "operator", repositories, operates } : { role: "viewer", repositories };
}

/** Of all names in `roles` those that fit one of these. */
export function namedIn(roles: DashboardConfig["roles"], isTheirs: (name: string) => boolean): readonly string[] {
  const all = ROLES.flatMap((role) => roles[role] ?? []).map((name) => name.toLowerCase());
  return [...new Set(all)].filter(isTheirs);
}
