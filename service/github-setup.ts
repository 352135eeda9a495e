/** Makes a GitHub App from the pages: the manifest and its state, the code that comes back, and what is kept of it. */
import { z } from "zod";
import { StacklingError, TerminalError } from "../components/errors.ts";
import type { OperatorConfig } from "./config/types.ts";
import {
  apiUrl,
  canReach,
  GITHUB,
  isLogin,
  manifestOf,
  registrationUrl,
  serverOf,
  webUrl,
} from "./forges/github-app.ts";
import { type MadeApp, madeApp, takeOverApp } from "./forges/github-app-made.ts";
import { type Installation, installationsOf } from "./forges/github-installed.ts";
import type { Session } from "./session.ts";
import { createSetupStates } from "./setup-state.ts";
import { type ForgeCredentialStore, sealer } from "./store/forge-credentials.ts";

export interface GithubSetupDeps {
  readonly config: Pick<OperatorConfig, "forges" | "repositories">;
  readonly store: Pick<ForgeCredentialStore, "forgeCredential" | "keepForgeCredential">;
  /** Signs and seals; the same for every replica. */
  readonly token: string;
  /** Where the pages are, without a slash at the end. */
  readonly homeUrl: string;
  readonly now: () => Date;
}

/** An entry of `forges` that an App can be made for; without any, the one that could be written. */
export interface GithubForge {
  readonly name: string;
  /** Where it is, by the config; undefined: the person says. */
  readonly server?: string;
  /** Whether the config says `app: manifest`, so that what is made is used at once. */
  readonly usesManifest: boolean;
  readonly isConfigured: boolean;
  readonly readyEvent: boolean;
}

export interface GithubSetup {
  /** Those of the config. */
  readonly repositories: OperatorConfig["repositories"];
  readonly homeUrl: string;
  /** Never empty. */
  forges(): readonly GithubForge[];
  /** What is kept for a forge; undefined when nothing is, or when it was sealed with another token. */
  made(forge: string): Promise<MadeApp | undefined>;
  /** The same with where it is installed; `fault` says why that is not known. */
  installed(forge: GithubForge): Promise<{
    readonly app?: MadeApp;
    readonly installations?: readonly Installation[];
    readonly fault?: string;
  }>;
  /** The form to be posted to GitHub. Throws `TerminalError` for a server or organisation that is none. */
  begin(wish: SetupWish, session: Session): Promise<SetupForm>;
  /** Takes over what was made and keeps it. Throws `TerminalError` for a state that is not this session's. */
  finish(sent: { readonly code: string; readonly state: string }, session: Session): Promise<Finished>;
}

export interface SetupWish {
  readonly forge: string;
  readonly server?: string;
  readonly organization?: string;
}

export interface SetupForm {
  readonly action: string;
  /** JSON */
  readonly manifest: string;
  readonly server: string;
  readonly organization?: string;
  /** False: GitHub cannot call, so there is no webhook in it. */
  readonly hasWebhook: boolean;
}

export interface Finished {
  readonly forge: GithubForge;
  readonly app: MadeApp;
}

/** GitHub's own time for the code. */
const STATE_LIFE_MS = 3_600_000;

const stateBody = z.object({ forge: z.string(), server: z.string() });
const githubOptions = z.object({
  baseUrl: z.string(),
  app: z.unknown(),
  readyEvent: z.unknown().optional(),
});

export function createGithubSetup(deps: GithubSetupDeps): GithubSetup {
  const { config, store, homeUrl, now } = deps;
  const seal = sealer(deps.token);
  const states = createSetupStates({
    secret: deps.token,
    purpose: "github setup",
    shape: stateBody,
    lifeMs: STATE_LIFE_MS,
    now,
  });

  const forges = (): readonly GithubForge[] => {
    const configured = config.forges
      .filter(({ kind }) => kind === "github")
      .map(({ name, options }): GithubForge => {
        const { baseUrl, app, readyEvent } = githubOptions.parse(options);
        return {
          name,
          server: webUrl(baseUrl),
          usesManifest: app === "manifest",
          isConfigured: true,
          readyEvent: Boolean(readyEvent),
        };
      });
    const none: GithubForge = { name: "github", usesManifest: false, isConfigured: false, readyEvent: false };
    return configured.length > 0 ? configured : [none];
  };

  const forgeNamed = (name: string): GithubForge => {
    const found = forges().find((forge) => forge.name === name);
    if (found) return found;
    throw refusal(`there is no forge "${name}" of kind github in the config`);
  };

  const made: GithubSetup["made"] = async (forge) => {
    const kept = await store.forgeCredential(forge);
    const text = kept && seal.open(kept.sealed);
    return text === undefined ? undefined : madeApp.parse(JSON.parse(text));
  };

  return {
    repositories: config.repositories,
    homeUrl,
    forges,
    made,
    async installed(forge) {
      const app = await made(forge.name);
      if (!app) return {};
      try {
        return { app, installations: await installationsOf(app, apiOf(config, forge) ?? apiUrl(app.server)) };
      } catch (error) {
        if (error instanceof StacklingError) return { app, fault: error.userMessage };
        throw error;
      }
    },
    async begin({ forge: name, server: typed, organization }, session) {
      const forge = forgeNamed(name);
      const server = forge.server ?? serverOf(typed ?? GITHUB);
      if (server === undefined)
        throw refusal(`"${typed}" is not the address of a server, such as https://ghe.acme.dev`);
      if (organization !== undefined && !isLogin(organization)) {
        throw refusal(`"${organization}" is not the name of an organisation, as in github.com/acme`);
      }
      const state = states.give({ forge: name, server }, session);
      const wish = { homeUrl, forge: name, server, readyEvent: forge.readyEvent };
      return {
        action: registrationUrl({ server, ...(organization === undefined ? {} : { organization }), state }),
        manifest: JSON.stringify(manifestOf(wish)),
        server,
        ...(organization === undefined ? {} : { organization }),
        hasWebhook: canReach(server, homeUrl),
      };
    },
    async finish({ code, state }, session) {
      const sent = states.take(state, session);
      if (!sent) {
        throw refusal("what came back does not belong to this session, or is older than an hour: begin again");
      }
      const forge = forgeNamed(sent.forge);
      const { server } = sent;
      const app = await takeOverApp({ server, api: apiOf(config, forge) ?? apiUrl(server), code });
      await store.keepForgeCredential(forge.name, seal.seal(JSON.stringify(app)));
      return { forge, app };
    },
  };
}

function apiOf({ forges }: Pick<OperatorConfig, "forges">, { name }: GithubForge): string | undefined {
  const options = githubOptions.safeParse(forges.find((forge) => forge.name === name)?.options).data;
  return options?.baseUrl.replace(/\/+$/, "");
}

function refusal(why: string): TerminalError {
  return new TerminalError({ reason: "SetupRefused", userMessage: `making a GitHub App: ${why}` });
}
