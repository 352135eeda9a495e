/** What a person may ask for, as API and pages pass it on. `service/actions.ts` does it. */
import { z } from "zod";
import type { DriftReport } from "../../infra/stacks.ts";
import type { RollbackAsked } from "../rollback.ts";
import type { StageActions } from "../stages/promote.ts";
import type { Preview } from "../status.ts";
import type { HeldLease } from "../store/lease.ts";
import { isCommitId } from "../trust.ts";

export interface Actions extends StageActions {
  look(key: string): Promise<unknown>;
  /** A preview of any repository and ref, registered until `down`. */
  upByHand(wish: { readonly repository: string; readonly ref?: string; readonly by: string }): Promise<Preview>;
  /** A stage goes only where that is confirmed. */
  down(key: string, by: string, confirmed?: boolean): Promise<unknown>;
  redeploy(key: string, by: string): Promise<unknown>;
  sleep(key: string, by: string): Promise<unknown>;
  wake(key: string, by: string): Promise<unknown>;
  /** Exempts it from idleness and hard stop; `false` ends that, and its clocks start anew. */
  keep(key: string, by: string, keep?: boolean): Promise<unknown>;
  /** Moves expiry by so many seconds from now. */
  extend(key: string, seconds: number, by: string): Promise<unknown>;
  resetDatabase(key: string, by: string): Promise<unknown>;
  seed(key: string, scenario: string | undefined, by: string): Promise<unknown>;
  rotate(key: string, by: string): Promise<unknown>;
  /** Goes back to a commit that served before, until the next push. */
  rollback(key: string, asked: RollbackAsked, by: string): Promise<unknown>;
  /** Sets a feature flag; without a value what was said of it before is taken back. */
  flag(key: string, flag: { readonly name: string; readonly value?: string }, by: string): Promise<unknown>;
  /** Lets one commit of a fork's or an outsider's pull request run; `sha` is its whole id. */
  approve(key: string, sha: string, by: string, linked?: Readonly<Record<string, string>>): Promise<unknown>;
  /** Looks at the world first and puts right what differs, also when the wish is unchanged. */
  repair(key: string, by: string): Promise<unknown>;
  /** What differs between state and world. */
  drift(key: string): Promise<DriftReport>;
  /** The right to run an engine by hand, renewed until released. Throws `ConflictError` while an engine runs. */
  lease(key: string): Promise<HeldLease>;
}

const plain = z.strictObject({
  action: z
    .enum(["look", "redeploy", "sleep", "wake", "reset-db", "rotate", "repair"])
    .describe("What the verb of that name does; `look` looks at it again, `repair` also puts right what differs."),
});
const YEAR_SECONDS = 366 * 86_400;

const shownAt = z.iso
  .datetime()
  .optional()
  .describe("`at` of the promotion that was shown: refused where another one waits.");
const wholeCommit = z.string().refine(isCommitId, "must be the whole id of a commit").toLowerCase();
/** By the keys of their pull requests. */
export const linkedHeads = z.record(z.string().min(1).max(200), wholeCommit);

export const actionRequest = z.union([
  plain,
  z.strictObject({
    action: z.literal("down"),
    confirm: z.boolean().optional().describe("Also a stage, which goes with its database."),
  }),
  z.strictObject({
    action: z.literal("promote"),
    from: z.string().min(1).max(64).optional().describe("Stage that serves it. Default: the one that it follows."),
    sha: wholeCommit.optional().describe("Refused where that stage serves another commit by now."),
  }),
  z.strictObject({
    action: z.literal("approve-promotion"),
    sha: wholeCommit.describe("Commit that waits."),
    at: shownAt,
  }),
  z.strictObject({
    action: z.literal("cancel-promotion"),
    sha: wholeCommit.optional().describe("Commit that waits. Absent: whichever does."),
    at: shownAt,
  }),
  z.strictObject({
    action: z.literal("extend"),
    seconds: z.int().positive().max(YEAR_SECONDS).describe("How long it may stay from now."),
  }),
  z.strictObject({
    action: z.literal("approve"),
    sha: wholeCommit.describe("The one commit that may run."),
    linked: linkedHeads.optional().describe("`awaitsWith` as it was shown: refused where it is another by now."),
  }),
  z.strictObject({
    action: z.literal("rollback"),
    sha: z
      .string()
      .regex(/^[0-9a-f]{7,64}$/i, "must be the id of a commit, or its first seven digits at least")
      .toLowerCase()
      .optional()
      .describe("Absent: the last good one."),
    keepDatabase: z.boolean().optional().describe("Leave the database as newer migrations made it."),
  }),
  z.strictObject({
    action: z.literal("keep"),
    keep: z.boolean().optional().describe("`false` ends it. Default: true."),
  }),
  z.strictObject({
    action: z.literal("flag"),
    name: z.string().min(1).max(64).describe("Of the flag."),
    value: z.string().min(1).max(64).optional().describe("Absent: what was said of it before is taken back."),
  }),
  z.strictObject({
    action: z.literal("seed"),
    scenario: z
      .string()
      .regex(/^[\w-]{1,64}$/)
      .optional()
      .describe("Of those that preview.yaml names; absent: its seed once more."),
  }),
]);
export type ActionRequest = z.infer<typeof actionRequest>;

/** Resolves when the wish is stored; the work follows. */
export async function act(actions: Actions, key: string, request: ActionRequest, by: string): Promise<void> {
  switch (request.action) {
    case "look":
      await actions.look(key);
      return;
    case "extend":
      await actions.extend(key, request.seconds, by);
      return;
    case "keep":
      await actions.keep(key, by, request.keep);
      return;
    case "seed":
      await actions.seed(key, request.scenario, by);
      return;
    case "flag": {
      const { name, value } = request;
      await actions.flag(key, { name, ...(value === undefined ? {} : { value }) }, by);
      return;
    }
    case "rollback": {
      const { sha, keepDatabase } = request;
      const which = { ...(sha === undefined ? {} : { sha }), ...(keepDatabase ? { keepDatabase } : {}) };
      await actions.rollback(key, which, by);
      return;
    }
    case "approve":
      await actions.approve(key, request.sha, by, request.linked);
      return;
    case "down":
      await actions.down(key, by, request.confirm);
      return;
    case "promote": {
      const { from, sha } = request;
      const what = { ...(from === undefined ? {} : { from }), ...(sha === undefined ? {} : { sha }) };
      await actions.promote(key, what, by);
      return;
    }
    case "approve-promotion": {
      const { sha, at } = request;
      await actions.approvePromotion(key, { sha, ...(at === undefined ? {} : { at }) }, by);
      return;
    }
    case "cancel-promotion": {
      const { sha, at } = request;
      await actions.cancelPromotion(key, { sha, at }, by);
      return;
    }
    case "reset-db":
      await actions.resetDatabase(key, by);
      return;
    default:
      await actions[request.action](key, by);
  }
}
