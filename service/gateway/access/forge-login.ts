/** Logins at a forge: authorization code with PKCE (RFC 6749, 7636). Ends with who came; the token is not kept. */
import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { StacklingError } from "../../../components/errors.ts";
import type { ForgeLoginOptions } from "../../config/access-types.ts";
import type { ForgePeople } from "../../forges/people.ts";
import type { DoorDeps, SignIn } from "./door.ts";
import { type Allowed, allowedBy, type ForgeKind, type ForgeServer } from "./forge-kind.ts";

const TIMEOUT_MS = 10_000;
/** Too late, or used before: GitHub's word and that of the standard (RFC 6749, 5.2). */
const SPENT = ["bad_verification_code", "invalid_grant"];

/** GitHub answers 200 for a refused code too (Authorizing OAuth apps, "Exchange this code"). */
const granted = z.union([z.object({ access_token: z.string().min(1) }), z.object({ error: z.string().max(100) })]);

export interface ForgeLogin extends Pick<ForgeLoginOptions, "clientId" | "clientSecret"> {
  readonly scope: string;
  readonly kind: ForgeKind;
  readonly server: ForgeServer;
  /** What the forge itself tells of people; undefined while it is not connected. */
  readonly people: () => ForgePeople | undefined;
}

/** Who came, asked of the forge when it is called for. */
export interface Came extends Allowed {
  readonly login: () => Promise<string>;
}

export function forgeLogin(
  { secret }: Pick<DoorDeps, "secret">,
  { clientId, clientSecret, scope, kind, server, people }: ForgeLogin,
): SignIn<Came | undefined> {
  return {
    label: kind.label,
    async begin({ callback, state }) {
      const verifier = randomBytes(32).toString("base64url");
      const url = new URL(`${server.webUrl}${kind.paths.authorize}`);
      const challenge = createHash("sha256").update(verifier).digest("base64url");
      const asked = { client_id: clientId, redirect_uri: callback, response_type: "code", state, scope };
      const proof = { code_challenge: challenge, code_challenge_method: "S256" };
      for (const [key, value] of Object.entries({ ...asked, ...proof })) url.searchParams.set(key, value);
      return { url: url.href, kept: { verifier } };
    },
    async finish(answered, { verifier = "" }) {
      const code = answered.searchParams.get("code");
      if (code === null) return undefined;
      const answer = await fetch(`${server.webUrl}${kind.paths.token}`, {
        method: "POST",
        headers: HEADERS,
        body: new URLSearchParams({
          grant_type: "authorization_code",
          client_id: clientId,
          client_secret: await secret(clientSecret),
          code,
          redirect_uri: `${answered.origin}${answered.pathname}`,
          code_verifier: verifier,
        }),
        redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const isRefusal = answer.status === 400 || answer.status === 401;
      if (!answer.ok && !isRefusal) throw unreachable(server.webUrl, `it answers ${answer.status}`);
      const outcome = granted.safeParse(await answer.json().catch(() => undefined)).data;
      if (!outcome) throw unreachable(server.webUrl, `what it answers (${answer.status}) is no token`);
      if ("error" in outcome) {
        if (SPENT.includes(outcome.error)) return undefined;
        throw unreachable(server.webUrl, `it refuses the login: ${JSON.stringify(outcome.error)}`);
      }
      return came(outcome.access_token);
    },
  };

  function came(token: string): Came {
    let asked: Promise<string> | undefined;
    const login = () => {
      asked ??= askForge(server, token, "/user").then(kind.loginOf);
      return asked;
    };
    return { login, ...(kind.asked?.(server, token, login) ?? allowedBy(people(), login)) };
  }
}

const HEADERS = { accept: "application/json", "user-agent": "stackling" } as const;

/** Undefined for what they may not see, which is answered as if it were not there. */
export async function askForge({ apiUrl }: ForgeServer, token: string, path: string): Promise<unknown> {
  const answer = await fetch(`${apiUrl}${path}`, {
    headers: { ...HEADERS, authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (answer.status === 401 || answer.status === 403 || answer.status === 404) return undefined;
  if (!answer.ok) throw unreachable(apiUrl, `it answers ${answer.status}`);
  return answer.json();
}

function unreachable(url: string, why: string): StacklingError {
  return new StacklingError({ reason: "Unreachable", userMessage: `logging in at ${url}: ${why}` });
}
