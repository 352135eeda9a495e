/**
 * Login to the pages at the forge or a provider of OpenID Connect. Nothing of it is kept here: what a session says of
 * its person is signed and in their browser, and what they may do is asked anew.
 */
import { createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { OperatorConfig } from "../config/types.ts";
import type { Forge } from "../forges/forge.ts";
import { secretReader } from "../gateway/access/guards.ts";
import { createLogin, type LoginDoor } from "../gateway/access/login.ts";
import { createPasses } from "../gateway/access/passes.ts";
import type { Rights } from "../roles.ts";
import type { LoggedIn } from "../session.ts";
import { heldBy } from "./held.ts";
import { type Person, providerOf } from "./providers.ts";
import { rightsBy } from "./rights.ts";

export interface PageLogin {
  /** Where, as people call it. */
  readonly label: string;
  readonly cookie: { readonly name: string; readonly seconds: number };
  /** Where the browser goes, and what it keeps meanwhile. */
  begin(to: string): Promise<{ readonly url: string; readonly cookie: string }>;
  finish(request: Pick<IncomingMessage, "url" | "headers">): Promise<Finished>;
  rightsOf(who: LoggedIn): Promise<Rights | undefined>;
}

export type Finished =
  | { readonly kind: "welcome"; readonly to: string; readonly who: LoggedIn; readonly rights: Rights | undefined }
  /** `unknown`: this browser began no such login, or too long ago. */
  | { readonly kind: "unknown" | "denied" | "stranger"; readonly to: string };

export interface PageLoginDeps {
  readonly config: Pick<OperatorConfig, "dashboard" | "forges" | "repositories" | "scheme" | "domain">;
  readonly forge: (name: string) => Pick<Forge, "people"> | undefined;
  /** Bearer token of the instance, from which the keys are made; secret. */
  readonly token: string;
  readonly now: () => Date;
  readonly onError: (error: unknown) => void;
  /** Where secrets by `{env: NAME}` are. Default: the process's own. */
  readonly environment?: NodeJS.ProcessEnv;
}

const DOOR = "pages";

/** Undefined where nobody can log in. */
export async function createPageLogin(deps: PageLoginDeps): Promise<PageLogin | undefined> {
  const { config, token, now, onError } = deps;
  const { dashboard, domain, scheme } = config;
  if (!dashboard) return undefined;
  const key = createHmac("sha256", token).update("stackling page logins").digest();
  const { clientSecret: _secret, ...public_ } = dashboard.login;
  const provider = createHmac("sha256", key).update(JSON.stringify(public_)).digest("base64url").slice(0, 22);
  const { signsIn, people } = await providerOf({ ...deps, dashboard, secret: secretReader(deps.environment) });
  const login = createLogin({ passes: createPasses({ now, secret: token }), scheme, domain, now });
  const door: LoginDoor<Person | undefined> = { name: DOOR, mark: async () => DOOR, signsIn };
  const visitor = { address: "", host: new URL(`${scheme}://${domain}`).hostname, repository: "" };

  async function rightsOf(who: LoggedIn): Promise<Rights | undefined> {
    if (who.provider !== provider) return undefined;
    const { repositories } = config;
    const by = (held: Pick<LoggedIn, "ids" | "reads" | "writes">) =>
      rightsBy(held, dashboard?.roles ?? {}, new Set(repositories.map(({ name }) => name)));
    const suffice = (ids: readonly string[]) => by({ ids }) !== undefined;
    const held = await heldBy({ people: people(), repositories, suffice, now, onError }, who);
    return held && by(held);
  }

  return {
    label: signsIn.label,
    cookie: { name: login.name, seconds: login.seconds },
    async begin(to) {
      const away = await login.begin(door, visitor, { to, authority: domain });
      if (!away) throw new Error("the login of the pages has no beginning");
      return away;
    },
    async finish(request) {
      const returned = await login.finish(request, visitor, [door]);
      if (returned.kind !== "welcome") return returned;
      const who = { provider, at: now().toISOString(), ...returned.who };
      return { kind: "welcome", to: returned.to, who, rights: await rightsOf(who) };
    },
    rightsOf,
  };
}
