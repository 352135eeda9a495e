/** Who may see which preview: guards, the porter who asks for them, and the links that open them. */
import { createHmac } from "node:crypto";
import type { OperatorConfig } from "../../config/types.ts";
import type { Forge } from "../../forges/forge.ts";
import { createLoginKeys } from "../../login-keys.ts";
import type { Routes } from "../routes.ts";
import { type Networks, networks } from "./address.ts";
import { type AppRelay, createAppRelay } from "./app-relay.ts";
import { createGuards, type GuardOf } from "./guards.ts";
import { createPasses } from "./passes.ts";
import { createPorter, type Porter } from "./porter.ts";
import { createRelay, type Relay } from "./relay.ts";
import { createShare, type Share } from "./share.ts";

export interface AccessDeps {
  readonly config: Pick<OperatorConfig, "access" | "domain" | "scheme" | "repositories" | "trustForwarded"> &
    Partial<Pick<OperatorConfig, "forges">>;
  readonly forge?: (name: string) => Pick<Forge, "people"> | undefined;
  /** Bearer token of the API, from which the keys are made; secret. */
  readonly token: string;
  readonly now: () => Date;
  readonly onError: (error: unknown, about: { readonly key: string }) => void;
  /** Where secrets by `{env: NAME}` are. Default: the process's own. */
  readonly environment?: NodeJS.ProcessEnv;
}

export interface Access {
  readonly guardOf: GuardOf;
  /** Load balancers of ours. */
  readonly trusts: Networks;
  readonly share: Share;
  /** Where a login elsewhere comes back to, whatever preview it began at. */
  readonly relay: Relay;
  /** The relay for logins of applications, and whoever stands at the doors. */
  at(routes: Pick<Routes, "lookup">): { readonly porter: Porter; readonly appRelay: AppRelay };
}

export async function createAccess(deps: AccessDeps): Promise<Access> {
  const { config, token, now, onError } = deps;
  const { scheme, domain } = config;
  const people = (name: string) => deps.forge?.(name)?.people;
  const passes = createPasses({ now, secret: token });
  const keys = createLoginKeys({ now, secret: token });
  const key = createHmac("sha256", token).update("stackling doors").digest();
  const digest = (text: string) => createHmac("sha256", key).update(text).digest("base64url").slice(0, 22);
  const guardOf = await createGuards({ config, digest, people, environment: deps.environment });
  const trusts = networks(config.trustForwarded ?? []);
  return {
    guardOf,
    trusts,
    share: createShare({ passes, guardOf, scheme, domain, now }),
    relay: createRelay({ passes, scheme }),
    at(routes) {
      const appRelay = createAppRelay({ passes, routes, repositories: config.repositories, scheme, domain, now });
      const porter = createPorter({ passes, keys, appRelay, routes, trusts, scheme, domain, now, onError });
      return { appRelay, porter };
    },
  };
}
