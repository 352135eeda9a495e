/** Where people log in to the pages, and who they turn out to be. The machinery is that of the previews' doors. */
import { z } from "zod";
import { StacklingError } from "../../components/errors.ts";
import type { DashboardConfig, DashboardLogin } from "../config/dashboard.ts";
import { isLoginForge } from "../config/forge-logins.ts";
import type { OperatorConfig } from "../config/types.ts";
import type { Forge } from "../forges/forge.ts";
import type { ForgePeople } from "../forges/people.ts";
import type { DoorDeps, SignIn } from "../gateway/access/door.ts";
import { forgeKinds } from "../gateway/access/forge-kinds.ts";
import { forgeLogin } from "../gateway/access/forge-login.ts";
import type { LoggedIn } from "../session.ts";
import { namedIn } from "./rights.ts";

export type Person = Omit<LoggedIn, "provider" | "at">;

export interface Provider {
  readonly signsIn: SignIn<Person | undefined>;
  /** What tells of people later on; undefined: only they themselves, by logging in again. */
  readonly people: () => ForgePeople | undefined;
}

export interface ProviderDeps extends Pick<DoorDeps, "secret"> {
  readonly config: Pick<OperatorConfig, "forges" | "repositories">;
  readonly dashboard: DashboardConfig;
  readonly forge: (name: string) => Pick<Forge, "people"> | undefined;
  readonly onError: (error: unknown) => void;
}

/** Repositories asked about at once. */
const AT_ONCE = 8;

const groupsClaim = z.array(z.string()).catch([]);

export async function providerOf(deps: ProviderDeps): Promise<Provider> {
  const { login } = deps.dashboard;
  return login.kind === "oidc" ? oidcProvider(deps, login) : forgeProvider(deps, login);
}

async function oidcProvider(deps: ProviderDeps, options: Extract<DashboardLogin, { kind: "oidc" }>): Promise<Provider> {
  // The client library is loaded where somebody logs in by it.
  const { addressOf, oidcLogin } = await import("../gateway/access/oidc.ts");
  const login = oidcLogin(deps, options);
  const signsIn: Provider["signsIn"] = {
    ...login,
    async finish(answered, way, visitor) {
      const claims = await login.finish(answered, way, visitor);
      if (!claims) return undefined;
      const address = addressOf(claims, options.emailVerified);
      const groups = groupsClaim.parse(claims.groups).map((group) => group.toLowerCase());
      const domain = address?.slice(address.lastIndexOf("@"));
      const isTheirs = (name: string) =>
        name === address || name === domain || (!name.includes("@") && groups.includes(name));
      // Some providers let people choose it: it must be neither another one's address nor a name of ours.
      return { name: address ?? `subject ${claims.sub}`, ids: namedIn(deps.dashboard.roles, isTheirs) };
    },
  };
  return { signsIn, people: () => undefined };
}

function forgeProvider(deps: ProviderDeps, options: Extract<DashboardLogin, { kind: "forge" }>): Provider {
  const { forges, repositories } = deps.config;
  const found = forges.find(({ name }) => name === options.forge);
  const kind = isLoginForge(found?.kind) ? forgeKinds[found.kind] : undefined;
  const server = kind?.serverOf(found?.options);
  if (!kind || !server)
    throw new StacklingError({ reason: "NotConfigured", userMessage: "logging in: the forge has no logins" });
  const people = () => deps.forge(options.forge)?.people;
  const login = forgeLogin(deps, { scope: kind.scope.pages, ...options, kind, server, people });
  const own = repositories.filter(({ forge }) => forge === options.forge);
  const signsIn: Provider["signsIn"] = {
    ...login,
    async finish(answered, way, visitor) {
      const came = await login.finish(answered, way, visitor);
      if (!came) return undefined;
      const called = await came.login();
      const { roles } = deps.dashboard;
      const teams = new Set<string>();
      for (const name of namedIn(roles, isTeam)) if (await settled(came.isIn(name))) teams.add(name);
      const ids = namedIn(roles, (name) => name === called.toLowerCase() || teams.has(name));
      const [reads, writes]: [string[], string[]] = [[], []];
      for (let from = 0; from < own.length; from += AT_ONCE) {
        await Promise.all(
          own.slice(from, from + AT_ONCE).map(async (repository) => {
            const right = await settled(came.rightOf(repository));
            if (right === "write") writes.push(repository.name);
            // A public repository everybody can read: that makes nobody a viewer.
            if (right === "read") reads.push(repository.name);
          }),
        );
      }
      return { name: `@${called}`, ids, reads: reads.sort(), writes: writes.sort() };
    },
  };
  return { signsIn, people };

  /** One that cannot be asked gives nothing, and does not keep the others from it. */
  async function settled<T>(asked: Promise<T | undefined>): Promise<T | undefined> {
    try {
      return await asked;
    } catch (error) {
      deps.onError(error);
      return undefined;
    }
  }
}

/** `acme/platform`; any other name is a person's. */
export function isTeam(name: string): boolean {
  return name.includes("/");
}
