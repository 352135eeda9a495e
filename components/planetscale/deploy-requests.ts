/** Proposals to take a preview's schema over. Shapes as in PlanetScale's Go client, planetscale-go. */
import { z } from "zod";
import { StacklingError } from "../errors.ts";
import { anything, ask, path } from "../rest.ts";
import { pages } from "./branches.ts";
import type { Planetscale } from "./options.ts";

const requestShape = z.object({
  number: z.number(),
  branch: z.string(),
  into_branch: z.string(),
  state: z.string(),
  deployment_state: z.string().nullish(),
  html_url: z.string().optional(),
});

export type DeployRequest = z.infer<typeof requestShape>;

export interface Proposal {
  /** The preview's. */
  readonly branch: string;
  readonly into: string;
  /** Shown with it. */
  readonly notes: string;
}

/** The one that is open, or a new one; undefined where the branch's schema is still that of its parent. */
export async function propose(api: Planetscale, { branch, into, notes }: Proposal): Promise<DeployRequest | undefined> {
  const open = (await openRequests(api, branch)).find((one) => one.into_branch === into);
  if (open) return open;
  const compare = { action: `comparing "${branch}" with its parent`, path: path`/branches/${branch}/diff` };
  const differences = await ask(api, compare, z.object({ data: z.array(z.unknown()) }));
  if (!differences || differences.data.length === 0) return undefined;
  const action = `opening a deploy request from "${branch}" into "${into}"`;
  const body = { branch, into_branch: into, notes };
  return ask(api, { action, method: "POST", path: "/deploy-requests", body }, requestShape);
}

/**
 * Closes what nobody deployed. Throws `StacklingError` (`DatabaseFailed`) while one is being deployed: its branch has to
 * stay until then.
 */
export async function closeProposals(api: Planetscale, branch: string): Promise<void> {
  for (const { number, deployment_state: state } of await openRequests(api, branch)) {
    const action = `closing deploy request ${number}`;
    if (state && UNDER_WAY.test(state)) {
      const userMessage = `${action}: PlanetScale is deploying it (${state}); its branch goes once that is done`;
      throw new StacklingError({ reason: "DatabaseFailed", userMessage });
    }
    const at = path`/deploy-requests/${String(number)}`;
    await ask(api, { action, method: "PATCH", path: at, body: { state: "closed" } }, anything);
  }
}

/** PlanetScale API reference, "Get a deploy request": its `deployment_state`. */
const UNDER_WAY = /^(queued|submitting|pending_cutover|in_progress)/;

async function openRequests(api: Planetscale, branch: string): Promise<readonly DeployRequest[]> {
  const call = { action: `listing deploy requests of "${branch}"`, path: "/deploy-requests" };
  const found = await pages(api, { ...call, query: { branch, state: "open" } }, requestShape);
  return found.filter((one) => one.branch === branch && one.state === "open");
}
