/** Where people log in to the pages, and who they turn out to be. The machinery is that of the previews' doors. */
import { z } from "zod";
import { StacklingError } from "../../components/errors.ts";
import type { DashboardConfig, DashboardLogin } from "../config/dashboard.ts";
import type { OperatorConfig } from "../config/types.ts";
import type { DoorDeps, ForgePlace, SignIn } from "../gateway/access/door.ts";
import { githubLogin } from "../gateway/access/forge.ts";
import { githubPlace } from "../gateway/access/guards.ts";
import type { LoggedIn } from "../session.ts";
import { namedIn } from "./rights.ts";

export type Person = Omit<LoggedIn, "provider">;

export interface ProviderDeps extends Pick<DoorDeps, "secret"> {
  readonly config: Pick<OperatorConfig, "forges" | "repositories">;
  readonly dashboard: DashboardConfig;
}

const TIMEOUT_MS = 10_000;
/** Repositories asked about at once. */
const AT_ONCE = 8;

const user = z.object({ login: z.string().min(1) });
const repositoryAnswer = z.object({
  private: z.boolean().default(false),
  permissions: z.object({ push: z.boolean().default(false), pull: z.boolean().default(false) }).optional(),
});
const groupsClaim = z.array(z.string()).catch([]);

export async function providerOf(deps: ProviderDeps): Promise<SignIn<Person | undefined>> {
  const { login } = deps.dashboard;
  return login.kind === "oidc" ? oidcProvider(deps, login) : githubProvider(deps, login);
}

async function oidcProvider(
  deps: ProviderDeps,
  options: Extract<DashboardLogin, { kind: "oidc" }>,
): Promise<SignIn<Person | undefined>> {
  // The client library is loaded where somebody logs in by it.
  const { addressOf, oidcLogin } = await import("../gateway/access/oidc.ts");
  const login = oidcLogin(deps, options);
  return {
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
}

function githubProvider(
  deps: ProviderDeps,
  options: Extract<DashboardLogin, { kind: "forge" }>,
): SignIn<Person | undefined> {
  const { forges, repositories } = deps.config;
  const place = githubPlace(forges.find(({ name }) => name === options.forge)?.options);
  if (!place) throw new StacklingError({ reason: "NotConfigured", userMessage: "logging in: the forge has no logins" });
  const login = githubLogin(deps, { ...options, placeOf: () => place });
  const own = repositories.filter(({ forge }) => forge === options.forge);
  return {
    ...login,
    async finish(answered, way, visitor) {
      const token = await login.finish(answered, way, visitor);
      if (token === undefined) return undefined;
      const { login: called } = user.parse(await ask(place, token, "/user"));
      const teams = await teamsOf({ place, token, login: called, roles: deps.dashboard.roles });
      const ids = namedIn(deps.dashboard.roles, (name) => name === called.toLowerCase() || teams.has(name));
      const found = await permissionsOf(place, token, own);
      return { name: `@${called}`, ids, ...found };
    },
  };
}

/** Those of the teams named in the config that they are a member of. */
async function teamsOf({ place, token, login, roles }: TeamsAsked): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const name of namedIn(roles, (one) => one.includes("/"))) {
    const [organization = "", team = ""] = name.split("/").map(encodeURIComponent);
    const path = `/orgs/${organization}/teams/${team}/memberships/${encodeURIComponent(login)}`;
    const answer = z.object({ state: z.string() }).safeParse(await ask(place, token, path));
    if (answer.success && answer.data.state === "active") found.add(name);
  }
  return found;
}

interface TeamsAsked {
  readonly place: Omit<ForgePlace, "path">;
  readonly token: string;
  readonly login: string;
  readonly roles: DashboardConfig["roles"];
}

/** A public repository everybody can read: that makes nobody a viewer. */
async function permissionsOf(
  place: Omit<ForgePlace, "path">,
  token: string,
  repositories: readonly { readonly name: string; readonly path: string }[],
): Promise<{ readonly reads: readonly string[]; readonly writes: readonly string[] }> {
  const [reads, writes]: [string[], string[]] = [[], []];
  for (let from = 0; from < repositories.length; from += AT_ONCE) {
    await Promise.all(
      repositories.slice(from, from + AT_ONCE).map(async ({ name, path }) => {
        const at = path.split("/").map(encodeURIComponent).join("/");
        const { data } = repositoryAnswer.safeParse(await ask(place, token, `/repos/${at}`));
        if (data?.permissions?.push) writes.push(name);
        else if (data?.private && data.permissions?.pull) reads.push(name);
      }),
    );
  }
  return { reads: reads.sort(), writes: writes.sort() };
}

/** Undefined for what they may not see, which is answered as if it were not there. */
async function ask({ apiUrl }: Omit<ForgePlace, "path">, token: string, path: string): Promise<unknown> {
  const answer = await fetch(`${apiUrl}${path}`, {
    headers: { accept: "application/json", authorization: `Bearer ${token}`, "user-agent": "stackling" },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (answer.status === 401 || answer.status === 403 || answer.status === 404) return undefined;
  if (!answer.ok)
    throw new StacklingError({
      reason: "Unreachable",
      userMessage: `logging in at ${apiUrl}: it answers ${answer.status}`,
    });
  return answer.json();
}
