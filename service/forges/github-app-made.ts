/** Takes over a GitHub App that was just made from our manifest. */
import { z } from "zod";
import { StacklingError, TerminalError } from "../../components/errors.ts";

/** What only this exchange tells; secret but for its names and addresses. */
export const madeApp = z.object({
  id: z.int().positive(),
  slug: z.string().min(1).max(200),
  name: z.string().max(200).default(""),
  htmlUrl: z.url({ protocol: /^https?$/ }),
  owner: z.string().max(200).default(""),
  clientId: z.string().default(""),
  clientSecret: z.string().default(""),
  /** Absent for an App without a webhook. */
  webhookSecret: z.string().min(1).optional(),
  privateKey: z.string().includes("PRIVATE KEY"),
  /** Where it was made: `https://github.com`. */
  server: z.string(),
});
export type MadeApp = z.infer<typeof madeApp>;

/** Source: REST API, "Create a GitHub App from a manifest". */
const answer = z.object({
  id: z.unknown(),
  slug: z.unknown(),
  name: z.unknown(),
  html_url: z.unknown(),
  owner: z.object({ login: z.string() }).nullish(),
  client_id: z.unknown(),
  client_secret: z.unknown(),
  webhook_secret: z.string().nullish(),
  pem: z.unknown(),
});

const ANSWER_WITHIN_MS = 20_000;
const ANSWER_MAX_BYTES = 256 * 1024;

/**
 * Exchanges the code that GitHub sent back, which works once and for an hour. Throws `TerminalError`
 * when it is not taken, `StacklingError` when the server does not answer; neither repeats what it said.
 */
export async function takeOverApp({
  server,
  api,
  code,
}: {
  /** Where people go, */
  readonly server: string;
  /** and its REST API. */
  readonly api: string;
  readonly code: string;
}): Promise<MadeApp> {
  const action = `taking over the GitHub App from "${server}"`;
  const response = await fetch(`${api}/app-manifests/${encodeURIComponent(code)}/conversions`, {
    method: "POST",
    headers: { accept: "application/vnd.github+json", "user-agent": "stackling" },
    redirect: "error",
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  }).catch((cause: unknown) => {
    throw new StacklingError({ reason: "Unreachable", userMessage: `${action}: it does not answer`, cause });
  });
  if (response.status === 404 || response.status === 422) {
    throw new TerminalError({
      reason: "CodeNotTaken",
      userMessage: `${action}: the code is not known there; it works once and for an hour, so begin again`,
    });
  }
  const text = response.ok ? await response.text().catch(() => "") : "";
  const sent = text.length <= ANSWER_MAX_BYTES ? answer.safeParse(jsonOf(text)).data : undefined;
  const made = madeApp.safeParse({
    ...sent,
    htmlUrl: sent?.html_url,
    owner: sent?.owner?.login,
    clientId: sent?.client_id,
    clientSecret: sent?.client_secret,
    webhookSecret: sent?.webhook_secret ?? undefined,
    privateKey: sent?.pem,
    server,
  });
  // Its page is where people are sent next.
  if (made.success && new URL(made.data.htmlUrl).origin === new URL(server).origin) return made.data;
  throw new StacklingError({
    reason: "Unreachable",
    userMessage: `${action}: it answered ${response.status}, which is not what GitHub answers`,
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
