/** Opens to whoever can read (or write to) the preview's repository, asked with a token of their own that is not kept. */
import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { StacklingError } from "../../../components/errors.ts";
import type { ForgeLoginOptions } from "../../config/access-types.ts";
import type { DoorDeps, DoorMaker, ForgePlace, SignIn, Visitor } from "./door.ts";

const TIMEOUT_MS = 10_000;

/** GitHub answers 200 for a refused code too (Authorizing OAuth apps, "Exchange this code"). */
const granted = z.union([z.object({ access_token: z.string().min(1) }), z.object({ error: z.string() })]);
const repository = z.object({ permissions: z.object({ push: z.boolean() }).optional() });

export const forgeDoor: DoorMaker<"forge"> = (deps, options) => {
  const { digest, placeOf } = deps;
  const { clientId, needs } = options;
  const login = githubLogin(deps, { ...options, placeOf: ({ repository: name }) => placed(placeOf(name)) });
  const mark = `forge:${digest(JSON.stringify(["forge", clientId, needs]))}`;

  async function mayCome(place: ForgePlace, token: string): Promise<boolean> {
    const path = place.path.split("/").map(encodeURIComponent).join("/");
    const answer = await fetch(`${place.apiUrl}/repos/${path}`, {
      headers: { ...JSON_ASKED, authorization: `Bearer ${token}`, "user-agent": "stackling" },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    // What somebody may not see is answered as if it were not there.
    if (answer.status === 401 || answer.status === 403 || answer.status === 404) return false;
    if (!answer.ok) throw unreachable(place.apiUrl, `it answers ${answer.status}`);
    const { permissions } = repository.parse(await answer.json());
    return needs === "read" || permissions?.push === true;
  }

  return {
    mark: async () => mark,
    signsIn: {
      ...login,
      async finish(answered, way, visitor) {
        const token = await login.finish(answered, way, visitor);
        return token !== undefined && mayCome(placed(placeOf(visitor.repository)), token);
      },
    },
  };
};

export interface GithubLogin extends Pick<ForgeLoginOptions, "clientId" | "clientSecret" | "scope"> {
  readonly placeOf: (visitor: Visitor) => Pick<ForgePlace, "webUrl">;
}

/** Ends with a token of who came, to be asked who that is, and not to be kept. */
export function githubLogin(
  { secret }: Pick<DoorDeps, "secret">,
  { clientId, clientSecret, scope, placeOf }: GithubLogin,
): SignIn<string | undefined> {
  return {
    label: "GitHub",
    async begin({ callback, state }, visitor) {
      const verifier = randomBytes(32).toString("base64url");
      const url = new URL(`${placeOf(visitor).webUrl}/login/oauth/authorize`);
      const challenge = createHash("sha256").update(verifier).digest("base64url");
      const asked = { client_id: clientId, redirect_uri: callback, state, scope };
      const proof = { code_challenge: challenge, code_challenge_method: "S256" };
      for (const [key, value] of Object.entries({ ...asked, ...proof })) url.searchParams.set(key, value);
      return { url: url.href, kept: { verifier } };
    },
    async finish(answered, { verifier = "" }, visitor) {
      const { webUrl } = placeOf(visitor);
      const code = answered.searchParams.get("code");
      if (code === null) return undefined;
      const answer = await fetch(`${webUrl}/login/oauth/access_token`, {
        method: "POST",
        headers: { ...JSON_ASKED, "content-type": "application/json" },
        body: JSON.stringify({
          client_id: clientId,
          client_secret: await secret(clientSecret),
          code,
          redirect_uri: `${answered.origin}${answered.pathname}`,
          code_verifier: verifier,
        }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (!answer.ok) throw unreachable(webUrl, `it answers ${answer.status}`);
      const outcome = granted.parse(await answer.json());
      // Too late, or used before.
      if ("error" in outcome && outcome.error === "bad_verification_code") return undefined;
      if ("error" in outcome) throw unreachable(webUrl, `it refuses the login: ${outcome.error}`);
      return outcome.access_token;
    },
  };
}

const JSON_ASKED = { accept: "application/json" } as const;

function placed(place: ForgePlace | undefined): ForgePlace {
  if (place) return place;
  throw new StacklingError({ reason: "NotConfigured", userMessage: "logging in: the preview's forge has no logins" });
}

function unreachable(url: string, why: string): StacklingError {
  return new StacklingError({ reason: "Unreachable", userMessage: `logging in at ${url}: ${why}` });
}
