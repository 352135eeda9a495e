import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { parseJson, pushed, rejecting, requireJsonType, textOf } from "./delivery.ts";
import type { IncomingDelivery, VerifiedDelivery } from "./forge.ts";
import { MARKER_START } from "./marker.ts";

const rejected = rejecting("Gitea");

const number = z.int().positive();
const repository = z.object({ full_name: z.string().min(1), id: z.int().positive().optional() });
const about = z.object({ repository });
const pull = z.object({ number, repository });
/** A review names the pull request alone. */
const review = z
  .object({ pull_request: z.object({ number }), repository })
  .transform((found) => ({ number: found.pull_request.number, repository: found.repository }));
/** `is_pull` since Gitea 1.16; Forgejo has it from there. */
const comment = z.object({
  action: z.literal("created"),
  is_pull: z.literal(true),
  issue: z.object({ number }),
  comment: z.object({ body: z.string() }),
  repository,
});
const push = z.object({ ref: z.string(), repository: repository.extend({ default_branch: z.string() }) });

/** Under these names a delivery's headers come: Forgejo's own, Gitea's, and those of before both. */
const FAMILIES = ["x-gitea", "x-forgejo", "x-gogs"];

/**
 * Checks a delivery's signature in constant time and says which pull request it is about.
 *
 * Any of `secrets` may have signed it, so that a secret can be changed without losing deliveries.
 * Throws `RejectedDeliveryError`: 401 signature, 415 content type, 400 anything else that is wrong.
 * Source: Gitea docs, "Webhooks"; services/webhook/deliver.go of Gitea 1.26.
 */
export function verifyGiteaDelivery(secrets: readonly string[], { headers, body }: IncomingDelivery): VerifiedDelivery {
  const header = (name: string) =>
    FAMILIES.map((family) => headers[`${family}-${name}`]).find((value) => value !== undefined && value !== "");
  const signature = header("signature");
  if (!signature) throw rejected(401, "DeliveryUnsigned", "the header X-Gitea-Signature is missing");
  if (!isSignedByAny(secrets, body, signature)) {
    throw rejected(401, "DeliverySignatureWrong", "the signature does not match");
  }
  requireJsonType(headers["content-type"], rejected);
  const event = header("event");
  const deliveryId = header("delivery");
  if (!event || !deliveryId) {
    throw rejected(400, "DeliveryIncomplete", "the headers X-Gitea-Event and X-Gitea-Delivery are needed");
  }
  const json = parseJson(textOf(body), rejected);
  const id = about.safeParse(json).data?.repository.id;
  const of = { deliveryId, event, ...(id === undefined ? {} : { repositoryId: String(id) }) };
  if (event === "push") return { ...of, ...pushedTo(json) };
  if (event === "issue_comment") return { ...of, ...commented(json) };
  if (event === "repository") return { ...of, ...concerned(json) };
  // `pull_request_sync` is a type of it (X-Gitea-Event-Type), and reviews have names of their own.
  if (!event.startsWith("pull_request")) return of;
  const parsed = z.union([pull, review]).safeParse(json);
  if (!parsed.success) throw rejected(400, "DeliveryShapeWrong", "it names no pull request and repository");
  const { data } = parsed;
  return { ...of, pullRequest: { repositoryPath: data.repository.full_name, number: data.number } };
}

/** An edited or deleted comment is none that was made, and our own is no news. */
function commented(json: unknown): Pick<VerifiedDelivery, "pullRequest"> {
  const { success, data } = comment.safeParse(json);
  if (!success || data.comment.body.startsWith(MARKER_START)) return {};
  return { pullRequest: { repositoryPath: data.repository.full_name, number: data.issue.number } };
}

/** A repository was made or deleted. */
function concerned(json: unknown): Pick<VerifiedDelivery, "concerns"> {
  const { data } = about.safeParse(json);
  if (!data) return {};
  const { id, full_name: repositoryPath } = data.repository;
  return { concerns: [{ repositoryPath, ...(id === undefined ? {} : { repositoryId: String(id) }) }] };
}

function pushedTo(json: unknown): Pick<VerifiedDelivery, "pushedTo" | "pushedBranch"> {
  const { success, data } = push.safeParse(json);
  if (!success) return {};
  const { full_name: repositoryPath, default_branch: defaultBranch } = data.repository;
  return pushed({ repositoryPath, ref: data.ref, defaultBranch });
}

function isSignedByAny(secrets: readonly string[], body: Buffer, signature: string): boolean {
  if (!/^[0-9a-f]{64}$/i.test(signature)) return false;
  const given = Buffer.from(signature, "hex");
  // Anybody can sign with an empty one.
  return secrets.some((one) => one !== "" && timingSafeEqual(createHmac("sha256", one).update(body).digest(), given));
}
