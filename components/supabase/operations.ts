/** What is asked of Supabase outside Pulumi. It suspends what is idle by itself. */
import { StacklingError } from "../errors.ts";
import type { Finding, OperationContext, OwnedThing } from "../ports.ts";
import { deleteBranch, detailOf, listBranches, ownBranches, stackOf } from "./branches.ts";
import { connect, type SupabaseOptions } from "./options.ts";

/** Its server, keys and files are the branch's own and go with it. */
export const kinds = ["preview branch"];

export async function owned(options: SupabaseOptions, stack?: string): Promise<readonly OwnedThing[]> {
  const api = await connect(options);
  const found = await Promise.all(projectsOf(options).map((project) => ownBranches(api, project, stack)));
  return found.flat().map((branch) => ({ kind: "preview branch", id: branch.name, stack: stackOf(branch) ?? "" }));
}

export async function remove(options: SupabaseOptions, { id, stack }: OwnedThing): Promise<void> {
  const api = await connect(options);
  for (const project of projectsOf(options)) {
    for (const branch of await ownBranches(api, project, stack)) {
      if (branch.name === id) await deleteBranch(api, project, branch.id);
    }
  }
}

export async function explain({ options, stack }: OperationContext<SupabaseOptions>): Promise<string | undefined> {
  try {
    const api = await connect(options);
    const found = await Promise.all(projectsOf(options).map((project) => ownBranches(api, project, stack)));
    const branch = found.flat().at(-1);
    if (!branch) return `the preview branch of "${stack}" does not exist at Supabase`;
    if (branch.status === "MIGRATIONS_FAILED") {
      return `preview branch "${branch.name}" could not take its project's migrations; Supabase's dashboard shows which`;
    }
    const detail = await detailOf(api, branch.id);
    if (!detail || /COMING_UP|RESTORING|UNKNOWN|RESTARTING/.test(detail.status)) {
      return `preview branch "${branch.name}" is still being made (${detail?.status ?? branch.status})`;
    }
    return /FAILED|REMOVED|GOING_DOWN|UNHEALTHY/.test(detail.status)
      ? `the server of preview branch "${branch.name}" is not well (${detail.status})`
      : undefined;
  } catch (error) {
    if (error instanceof StacklingError) return error.userMessage;
    throw error;
  }
}

export async function check(options: SupabaseOptions): Promise<readonly Finding[]> {
  try {
    const api = await connect(options);
    return await Promise.all(
      projectsOf(options).map(async (project) => {
        const { length } = await listBranches(api, project);
        return { ok: true, what: `Supabase's project "${project}" is reached and has ${length} branches` };
      }),
    );
  } catch (error) {
    if (!(error instanceof StacklingError)) throw error;
    const remedy =
      "correct the database's options `project`, `baselines` and `accessToken`, and turn branching on there";
    return [{ ok: false, what: error.userMessage, remedy }];
  }
}

/** Each once. */
function projectsOf({ project, baselines }: SupabaseOptions): readonly string[] {
  return [...new Set([project, ...Object.values(baselines).map((one) => one.project ?? project)])];
}
