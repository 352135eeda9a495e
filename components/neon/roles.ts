/** Who may log in to a preview's branch. */
import { StacklingError, TerminalError } from "../errors.ts";
import type { Neon } from "./api.ts";

/** A killed create is resumed within minutes; what is older was in use. */
const LEFTOVER_MAX_AGE_MS = 60 * 60_000;

/**
 * Password of a role that a branch inherits, made the branch's own first: a branch starts with its parent's
 * passwords, and a preview must not know those (Neon docs, "Protected branches"). Idempotent.
 */
export async function ownPassword(
  neon: Neon,
  { role, branchId, parentId, readOnly }: { role: string; branchId: string; parentId: string; readOnly: boolean },
): Promise<string> {
  const own = await passwordOf(neon, branchId, role);
  if (readOnly || own !== (await passwordOf(neon, parentId, role))) return own;
  const reset = await neon.ask(`setting a password for role "${role}"`, (api, project) =>
    api.resetProjectBranchRolePassword(project, branchId, role),
  );
  const password = reset?.role.password ?? (await passwordOf(neon, branchId, role));
  if (password !== own) return password;
  throw new StacklingError({
    reason: "DatabaseFailed",
    userMessage: `setting a password for role "${role}": it is still that of the baseline`,
  });
}

/** Removes the role of a preview's own branch that a killed create left. */
export async function clearRole(neon: Neon, branchId: string, role: string): Promise<void> {
  await neon.ask(`deleting role "${role}"`, (api, project) => api.deleteProjectBranchRole(project, branchId, role));
}

/** The same for its database, while it is too young to hold anything; an older one is refused (`NameTaken`). */
export async function clearDatabase(neon: Neon, branchId: string, name: string, now: number): Promise<void> {
  const found = await neon.ask(`looking for database "${name}"`, (api, project) =>
    api.listProjectBranchDatabases(project, branchId),
  );
  const there = found?.databases.find((database) => database.name === name);
  if (!there) return;
  if (now - Date.parse(there.created_at) > LEFTOVER_MAX_AGE_MS) {
    throw new TerminalError({
      reason: "NameTaken",
      userMessage: `creating database "${name}": its branch has one already, which this preview's stack does not know; make the database anew with reset-db`,
    });
  }
  await neon.ask(`deleting database "${name}"`, (api, project) =>
    api.deleteProjectBranchDatabase(project, branchId, name),
  );
}

async function passwordOf(neon: Neon, branchId: string, role: string): Promise<string> {
  const found = await neon.ask(`reading the password of role "${role}"`, (api, project) =>
    api.getProjectBranchRolePassword(project, branchId, role),
  );
  if (found) return found.password;
  throw new TerminalError({
    reason: "SpecInvalid",
    userMessage: `reading the password of role "${role}": its branch has no such role; correct the baseline's "role"`,
  });
}
