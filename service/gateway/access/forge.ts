/** Opens to whoever can read (or write to) the preview's repository, asked with a token of their own that is not kept. */
import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { StacklingError } from "../../../components/errors.ts";
import type { DoorMaker, ForgePlace } from "./door.ts";

const TIMEOUT_MS = 10_000;

/** GitHub answers 200 for a refused code too (Authorizing OAuth apps, "Exchange this code"). */
const granted = z.union([z.object({ access_token: z.string().min(1) }), z.object({ error: z.string() })]);
const repository = z.object({ permissions: z.object({ push: z.boolean() }).optional() });

export const forgeDoor: DoorMaker<"forge"> = ({ secret, digest, placeOf }, options) => {
  const { clientId, clientSecret, needs } = options;
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
      label: "GitHub",
      async begin({ callback, state }, { repository: name }) {
        const verifier = randomBytes(32).toString("base64url");
        const url = new URL(`${placed(placeOf(name)).webUrl}/login/oauth/authorize`);
        const challenge = createHash("sha256").update(verifier).digest("base64url");
        const asked = { client_id: clientId, redirect_uri: callback, state, scope: options.scope };
        const proof = { code_challenge: challenge, code_challenge_method: "S256" };
        for (const [key, value] of Object.entries({ ...asked, ...proof })) url.searchParams.set(key, value);
        return { url: url.href, kept: { verifier } };
      },
      async finish(answered, { verifier = "" }, { repository: name }) {
        const place = placed(placeOf(name));
        const code = answered.searchParams.get("code");
        if (code === null) return false;
        const answer = await fetch(`${place.webUrl}/login/oauth/access_token`, {
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
        if (!answer.ok) throw unreachable(place.webUrl, `it answers ${answer.status}`);
        const outcome = granted.parse(await answer.json());
        // Too late, or used before.
        if ("error" in outcome && outcome.error === "bad_verification_code") return false;
        if ("error" in outcome) throw unreachable(place.webUrl, `it refuses the login: ${outcome.error}`);
        return mayCome(place, outcome.access_token);
      },
    },
  };
};

const JSON_ASKED = { accept: "application/json" } as const;

function placed(place: ForgePlace | undefined): ForgePlace {
  if (place) return place;
  throw new StacklingError({ reason: "NotConfigured", userMessage: "logging in: the preview's forge has no logins" });
}

function unreachable(url: string, why: string): StacklingError {
  return new StacklingError({ reason: "Unreachable", userMessage: `logging in at ${url}: ${why}` });
}
