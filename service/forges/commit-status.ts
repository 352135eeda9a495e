/** What a merge can wait for, in words that forges share. */
import { digestOf } from "../digest.ts";
import { HELD_BACK } from "../reasons.ts";
import type { AnnounceInput } from "./announce-parts.ts";
import type { Announcement } from "./forge.ts";

/** Part of branch protection rules: never changes. */
export function checkName({ name }: { readonly name: string }): string {
  return `stackling/${name}`;
}

/** `stackling/shop/production` for a stage, on the commit itself: it has no pull request any more. */
export function statusName({ name, announcement: { stage } }: Pick<AnnounceInput, "name" | "announcement">): string {
  return stage ? `${checkName({ name })}/${stage.name}` : checkName({ name });
}

/** Of a forge's client what a status needs. */
export interface StatusClient {
  call(call: {
    readonly repository: string;
    readonly method: "POST";
    readonly path: string;
    readonly body: Readonly<Record<string, unknown>>;
    readonly action: string;
    /** Answers and no errors. */
    readonly statuses: readonly number[];
  }): Promise<{ readonly status: number }>;
}

/**
 * Writes a commit's status where it changed, `named` being its name and state as the forge calls them. The last one
 * of a name counts, so that one written twice after a kill does no harm.
 */
export async function writeStatus(
  { client, refused }: { readonly client: StatusClient; readonly refused: readonly number[] },
  { repository, announcement, handles }: AnnounceInput,
  named: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string | undefined>>> {
  const { headSha, summary, logUrl, environmentUrl, key } = announcement;
  const body = { ...named, description: summary, target_url: environmentUrl ?? logUrl };
  const digest = digestOf([headSha, body]);
  if (handles.checkDigest === digest) return {};
  const written = await client.call({
    repository,
    method: "POST",
    path: `/statuses/${headSha}`,
    body,
    action: `writing the commit status of "${key}"`,
    statuses: refused,
  });
  // No right, or the commit is gone: said once, tried again when there is something new to say.
  return { checkDigest: digest, checkRefused: written.status === 201 ? undefined : String(written.status) };
}

/** Of a commit status, which knows no "neutral". */
export function statusState({ condition, reason, rolledBack }: Announcement): "pending" | "failure" | "success" {
  if (condition === "Reconciling" || (condition === "Ready" && rolledBack)) return "pending";
  if (condition !== "Stalled") return "success";
  return HELD_BACK.has(reason) ? "pending" : "failure";
}
