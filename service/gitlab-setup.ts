/** Connects GitLab as an OAuth application from the pages: the way there, the code that comes back, what is kept. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { TerminalError } from "../components/errors.ts";
import type { OperatorConfig } from "./config/types.ts";
import { type CredentialsDeps, credentialsFor } from "./forge-credentials.ts";
import { type GitlabApplication, gitlabGrant, redirectUri, takeGrant } from "./forges/gitlab-grant.ts";
import { gitlabOptions } from "./forges/gitlab-options.ts";
import { readSecret } from "./forges/secret.ts";
import type { Session } from "./session.ts";
import { createSetupStates } from "./setup-state.ts";

export interface GitlabSetupDeps extends CredentialsDeps {
  readonly config: Pick<OperatorConfig, "forges">;
  /** Where the pages are, without a slash at the end. */
  readonly homeUrl: string;
  readonly now: () => Date;
}

/** An entry of `forges` that is an OAuth application. */
export interface GitlabConnection {
  readonly name: string;
  readonly url: string;
  readonly isConnected: boolean;
}

export interface GitlabSetup {
  connections(): Promise<readonly GitlabConnection[]>;
  /** Where the application's settings must let people come back to. */
  readonly redirectUri: string;
  /** Address at GitLab where a person says yes. Throws `TerminalError` for a forge that is no application. */
  begin(forge: string, session: Session): Promise<string>;
  /** Takes the grant and keeps it. Throws `TerminalError` for a state that is not this session's. */
  finish(
    sent: { readonly code: string; readonly state: string },
    session: Session,
  ): Promise<{ readonly forge: string }>;
}

const STATE_LIFE_MS = 15 * 60_000;
const stateBody = z.object({ forge: z.string() });

export function createGitlabSetup(deps: GitlabSetupDeps): GitlabSetup {
  const { config, homeUrl, now } = deps;
  const states = createSetupStates({
    secret: deps.token,
    purpose: "gitlab setup",
    shape: stateBody,
    lifeMs: STATE_LIFE_MS,
    now,
  });

  const applicationOf = async (forge: string): Promise<GitlabApplication> => {
    const found = config.forges.find(({ name, kind }) => name === forge && kind === "gitlab");
    const options = found && gitlabOptions.parse(found.options);
    if (!options?.application) throw refusal(`there is no forge "${forge}" of kind gitlab with an \`application\``);
    const { id, secret } = options.application;
    return { url: options.url, id, secret: await readSecret(secret, forge) };
  };

  return {
    redirectUri: redirectUri(homeUrl),
    async connections() {
      const all = config.forges
        .filter(({ kind }) => kind === "gitlab")
        .map(async ({ name, options: given }) => {
          const options = gitlabOptions.parse(given);
          if (!options.application) return [];
          const text = await credentialsFor(deps, name).kept();
          const grant = text === undefined ? undefined : gitlabGrant.parse(JSON.parse(text));
          return [{ name, url: options.url, isConnected: grant?.url === options.url }];
        });
      return (await Promise.all(all)).flat();
    },
    async begin(forge, session) {
      const { url, id } = await applicationOf(forge);
      const state = states.give({ forge }, session);
      const query = new URLSearchParams({
        client_id: id,
        redirect_uri: redirectUri(homeUrl),
        response_type: "code",
        scope: "api",
        state,
        code_challenge: createHash("sha256").update(states.proofOf(state, session)).digest("base64url"),
        code_challenge_method: "S256",
      });
      return `${url}/oauth/authorize?${query}`;
    },
    async finish({ code, state }, session) {
      const sent = states.take(state, session);
      if (!sent) {
        throw refusal("what came back does not belong to this session, or is older than 15 minutes: begin again");
      }
      const application = await applicationOf(sent.forge);
      const given = { grant_type: "authorization_code", code, redirect_uri: redirectUri(homeUrl) };
      const grant = await takeGrant(application, { ...given, code_verifier: states.proofOf(state, session) }, now);
      await credentialsFor(deps, sent.forge).change(async () => JSON.stringify(grant));
      return { forge: sent.forge };
    },
  };
}

function refusal(why: string): TerminalError {
  return new TerminalError({ reason: "SetupRefused", userMessage: `connecting GitLab: ${why}` });
}
