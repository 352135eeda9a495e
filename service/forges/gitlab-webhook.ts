import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { parseJson, pushed, rejecting, requireJsonType, textOf } from "./delivery.ts";
import type { IncomingDelivery, VerifiedDelivery } from "./forge.ts";

const rejected = rejecting("GitLab");

const id = z.int().positive();
/** Of a push to a server's hook the docs show the project's id beside it alone. */
const about = z
  .object({ project: z.looseObject({}), project_id: id.optional() })
  .transform(({ project, project_id }) => ({ id: project_id, ...project }))
  .pipe(z.object({ id, path_with_namespace: z.string().min(1), default_branch: z.string().nullish() }));
const merge = z.object({ object_attributes: z.object({ iid: id }) });
/** A note that GitLab wrote itself is none of a person; an edited one is none that was made (`action` since 16.11). */
const note = z.object({
  object_attributes: z.object({
    noteable_type: z.literal("MergeRequest"),
    system: z.literal(false).default(false),
    action: z.literal("create").default("create"),
  }),
  merge_request: z.object({ iid: id }),
});
const push = z.object({ ref: z.string() });
/** A server's hook names itself in the header, whatever became of what; the body says that (docs, "System hooks"). */
const SYSTEM_HOOK = "System Hook";
const systemEvent = z.union([
  z.object({ object_kind: z.literal("merge_request") }).transform(() => "Merge Request Hook"),
  z.object({ event_name: z.literal("push") }).transform(() => "Push Hook"),
]);
/** Of a group's or the server's webhook: names of projects that were made, renamed or went. */
const projectEvent = z.object({
  event_name: z.string().startsWith("project_"),
  project_id: z.int().positive(),
  path_with_namespace: z.string().min(1),
});

/** Standard Webhooks: a signature that is older says nothing. */
const SIGNED_WITHIN_SECONDS = 300;

/**
 * Checks who sent a delivery and says which merge request it is about.
 *
 * GitLab sends the webhook's secret token with each delivery (`X-Gitlab-Token`), or signs with its signing token, which
 * begins with `whsec_` (`webhook-signature`, as Standard Webhooks does). Either is compared in constant time with any of
 * `secrets`. Throws `RejectedDeliveryError`: 401 token or signature, 415 content type, 400 anything else that is wrong.
 * Source: GitLab docs, "Webhooks" and "Webhook events"; gitlab-org/gitlab!230944.
 */
export function verifyGitlabDelivery(
  secrets: readonly string[],
  { headers, body }: IncomingDelivery,
  now: () => Date = () => new Date(),
): VerifiedDelivery {
  if (headers["x-gitlab-token"] === undefined && headers["webhook-signature"] === undefined) {
    throw rejected(401, "DeliveryUnsigned", "the header X-Gitlab-Token is missing");
  }
  if (!isSigned(secrets, { headers, body }, now()) && !bearsToken(secrets, headers["x-gitlab-token"] ?? "")) {
    throw rejected(401, "DeliverySignatureWrong", "the secret token does not match");
  }
  requireJsonType(headers["content-type"], rejected);
  const event = headers["x-gitlab-event"];
  // The first stays the same when GitLab tries again (since 17.4); the second is the event's.
  const deliveryId = headers["idempotency-key"] ?? headers["x-gitlab-event-uuid"];
  if (!event || !deliveryId) {
    throw rejected(400, "DeliveryIncomplete", "the headers X-Gitlab-Event and X-Gitlab-Event-UUID are needed");
  }
  const json = parseJson(textOf(body), rejected);
  const place = about.safeParse(json).data;
  const of = { deliveryId, event, ...(place ? { repositoryId: String(place.id) } : {}) };
  const pullRequest = (number: number | undefined): Pick<VerifiedDelivery, "pullRequest"> =>
    place && number !== undefined ? { pullRequest: { repositoryPath: place.path_with_namespace, number } } : {};
  switch (event === SYSTEM_HOOK ? systemEvent.safeParse(json).data : event) {
    case "Merge Request Hook": {
      const { data } = merge.safeParse(json);
      if (!place || !data) throw rejected(400, "DeliveryShapeWrong", "it names no merge request and project");
      return { ...of, ...pullRequest(data.object_attributes.iid) };
    }
    case "Note Hook":
      return { ...of, ...pullRequest(note.safeParse(json).data?.merge_request.iid) };
    case "Push Hook": {
      const { data } = push.safeParse(json);
      if (!place || !data) return of;
      const { path_with_namespace: repositoryPath, default_branch: defaultBranch } = place;
      return { ...of, ...pushed({ repositoryPath, ref: data.ref, defaultBranch }) };
    }
    default: {
      const { data } = projectEvent.safeParse(json);
      if (!data) return of;
      const repositoryId = String(data.project_id);
      return { ...of, concerns: [{ repositoryPath: data.path_with_namespace, repositoryId }] };
    }
  }
}

function bearsToken(secrets: readonly string[], given: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  // Anybody can send an empty one.
  return secrets.some((one) => one !== "" && timingSafeEqual(hash(one), hash(given)));
}

/** By node's own hash, for anybody may send 25 MB: the scheme's library hashes in JavaScript, twenty times as long. */
function isSigned(secrets: readonly string[], { headers, body }: IncomingDelivery, now: Date): boolean {
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signatures } = headers;
  if (!id || !at || !signatures || !/^\d{1,12}$/.test(at)) return false;
  if (Math.abs(now.getTime() / 1000 - Number(at)) > SIGNED_WITHIN_SECONDS) return false;
  const given = signatures
    .split(" ")
    .flatMap((one) => (one.startsWith("v1,") ? [Buffer.from(one.slice(3), "base64")] : []));
  return secrets
    .filter((one) => one.startsWith("whsec_"))
    .some((secret) => {
      const key = Buffer.from(secret.slice("whsec_".length), "base64");
      // Anybody can sign with an empty one.
      if (key.length === 0) return false;
      const expected = createHmac("sha256", key).update(`${id}.${at}.`).update(body).digest();
      return given.some((one) => one.length === expected.length && timingSafeEqual(one, expected));
    });
}
