import { Webhooks } from "@octokit/webhooks";
import { z } from "zod";
import { parseJson, pushed, rejecting, requireJsonType, textOf } from "./delivery.ts";
import type { IncomingDelivery, VerifiedDelivery } from "./forge.ts";
import { hinted } from "./github-events.ts";

const rejected = rejecting("GitHub");

const number = z.int().positive();
const repository = z.object({ full_name: z.string().min(1), id: z.int().positive().optional() });
const about = z.object({ repository });
/** GitHub says the number twice; servers that speak its words say it once or twice. */
const payload = z.union([
  z.object({ number, repository }),
  z
    .object({ pull_request: z.object({ number }), repository })
    .transform((found) => ({ number: found.pull_request.number, repository: found.repository })),
]);
/** Of a pull request when it says so: every pull request is an issue, but not every issue is one. */
const comment = z.object({
  action: z.literal("created"),
  issue: z.object({ number, pull_request: z.object({}) }),
  comment: z.object({ user: z.object({ type: z.string() }).nullable() }),
  repository,
});
const push = z.object({ ref: z.string(), repository: repository.extend({ default_branch: z.string() }) });

/**
 * Checks a delivery's signature in constant time and says which pull request it is about.
 *
 * Any of `secrets` may have signed it, so that a secret can be changed without losing deliveries.
 * Throws `RejectedDeliveryError`: 401 signature, 415 content type, 400 anything else that is wrong.
 * Source: GitHub docs, "Validating webhook deliveries".
 */
export async function verifyDelivery(
  secrets: readonly string[],
  { headers, body }: IncomingDelivery,
): Promise<VerifiedDelivery> {
  const signature = headers["x-hub-signature-256"];
  if (!signature) throw rejected(401, "DeliveryUnsigned", "the header X-Hub-Signature-256 is missing");
  // The library takes a body that is empty for one that was forgotten.
  if (body.length === 0) throw rejected(400, "DeliveryNotJson", "the body is empty");
  const text = textOf(body);
  if (!(await isSignedByAny(secrets, text, signature))) {
    throw rejected(401, "DeliverySignatureWrong", "the signature does not match");
  }
  requireJsonType(headers["content-type"], rejected);
  const event = headers["x-github-event"];
  const deliveryId = headers["x-github-delivery"];
  if (!event || !deliveryId) {
    throw rejected(400, "DeliveryIncomplete", "the headers X-GitHub-Event and X-GitHub-Delivery are needed");
  }
  const json = parseJson(text, rejected);
  const of = { deliveryId, event, ...repositoryOf(json) };
  if (event === "push") return { ...of, ...pushedTo(json) };
  if (event === "issue_comment") return { ...of, ...commented(json) };
  if (event !== "pull_request" && event !== "pull_request_review") return { ...of, ...hinted(event, json) };
  const parsed = payload.safeParse(json);
  if (!parsed.success) throw rejected(400, "DeliveryShapeWrong", "it names no pull request and repository");
  const { data } = parsed;
  return { ...of, pullRequest: { repositoryPath: data.repository.full_name, number: data.number } };
}

function repositoryOf(json: unknown): Pick<VerifiedDelivery, "repositoryId"> {
  const id = about.safeParse(json).data?.repository.id;
  return id === undefined ? {} : { repositoryId: String(id) };
}

/** An edited or deleted comment is none that was made, and what a bot says is no command. */
function commented(json: unknown): Pick<VerifiedDelivery, "pullRequest"> {
  const { success, data } = comment.safeParse(json);
  if (!success || data.comment.user?.type === "Bot") return {};
  return { pullRequest: { repositoryPath: data.repository.full_name, number: data.issue.number } };
}

function pushedTo(json: unknown): Pick<VerifiedDelivery, "pushedTo" | "pushedBranch"> {
  const { success, data } = push.safeParse(json);
  if (!success) return {};
  const { full_name: repositoryPath, default_branch: defaultBranch } = data.repository;
  return pushed({ repositoryPath, ref: data.ref, defaultBranch });
}

async function isSignedByAny(secrets: readonly string[], text: string, signature: string): Promise<boolean> {
  for (const secret of secrets) {
    // Anybody can sign with an empty one.
    if (secret !== "" && (await new Webhooks({ secret }).verify(text, signature))) return true;
  }
  return false;
}
