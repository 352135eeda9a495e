/** Makes the guards of all previews from the config, once for all that have the same. */
import { formatKey, isStage, parseKey } from "../../../infra/names.ts";
import { defaultAccess, SHARE_MAX_SECONDS } from "../../config/access-schema.ts";
import type { AccessConfig, ApplicationAccess, DoorOptions } from "../../config/access-types.ts";
import { isLoginForge } from "../../config/forge-logins.ts";
import type { OperatorConfig, SecretReference } from "../../config/types.ts";
import type { ForgePeople } from "../../forges/people.ts";
import { resolveSecret } from "../../secret-reference.ts";
import { stageKeys } from "../../stages/stage.ts";
import type { Preview } from "../../status.ts";
import type { DoorDeps, DoorName } from "./door.ts";
import { forgeKinds } from "./forge-kinds.ts";
import type { Guard, NamedDoor, Row } from "./guard.ts";
import { ipDoor } from "./ip.ts";
import { doors } from "./registry.ts";

/** The guard of a preview, or of one of its services; undefined: everybody may see it. */
export type GuardOf = (
  preview: Pick<Preview, "repository" | "status"> & Partial<Pick<Preview, "key">>,
  service?: string,
) => Guard | undefined;

export interface GuardsDeps extends Pick<DoorDeps, "digest"> {
  readonly config: Pick<OperatorConfig, "access" | "domain" | "repositories"> & Partial<Pick<OperatorConfig, "forges">>;
  /** What a forge tells of people, by its name. */
  readonly people?: (forge: string) => ForgePeople | undefined;
  readonly environment?: NodeJS.ProcessEnv;
}

/** A secret in a file may be replaced while the service runs; a page with a hundred parts reads it once. */
const SECRET_FRESH_MS = 5_000;

export async function createGuards(deps: GuardsDeps): Promise<GuardOf> {
  const { config } = deps;
  const parts = { digest: deps.digest, secret: secretReader(deps.environment), ...placesOf(deps) };
  const everywhere = await guardFrom(config.access ?? defaultAccess(config.domain), parts);
  const own = new Map<string, Guard | undefined>();
  const known = new Set([...config.repositories.map(({ name }) => name), ...stageKeys(config.repositories)]);
  for (const { name, access, stages = {} } of config.repositories) {
    if (access) own.set(name, await guardFrom(access, parts));
    for (const stage of Object.values(stages)) {
      const key = formatKey({ repository: name, stage: stage.name });
      if (stage.access) own.set(key, await guardFrom(stage.access, parts));
    }
  }
  return ({ key = "", repository, status }, service) => {
    if (!known.has(isStage(key) ? key : repository) && wasConfigured({ key, status })) return SHUT;
    const whole = own.has(key) ? own.get(key) : own.has(repository) ? own.get(repository) : everywhere;
    const guard = service !== undefined && whole?.openServices.has(service) ? undefined : whole;
    const { access } = status.live ?? {};
    return access ? shutFurther(guard, access, parts) : guard;
  };
}

/** Nobody passes, and no link leads in. */
const SHUT: Guard = { rows: [{ doors: [], satisfy: "all" }], openServices: new Set(), isUndecided: false };

/** Its own door is known no more, and any other may be wider. What `up PATH` made was never in the config, and is by hand. */
function wasConfigured({ key, status: { live } }: Pick<Preview, "key" | "status">): boolean {
  const parsed = parseKey(key);
  if (isStage(key) || (parsed && "number" in parsed)) return true;
  return live !== undefined && URL.canParse(live.source.repository);
}

async function guardFrom(access: AccessConfig, deps: DoorDeps): Promise<Guard | undefined> {
  if (access.kind === "public") return undefined;
  const { bypass, shareSeconds, satisfy, kind } = access;
  const names = Object.keys(access.doors) as DoorName[];
  const made = await Promise.all(names.map((name) => make(name, access.doors[name], deps)));
  return {
    rows: [{ doors: made.flat(), satisfy }],
    openServices: new Set(access.openServices),
    isUndecided: kind === "undecided",
    ...(shareSeconds === undefined ? {} : { shareSeconds }),
    ...(bypass ? { bypass: () => deps.secret(bypass) } : {}),
  };
}

async function make<Name extends DoorName>(
  name: Name,
  options: DoorOptions[Name],
  deps: DoorDeps,
): Promise<readonly NamedDoor[]> {
  return options === undefined ? [] : [{ name, ...(await doors[name]())(deps, options) }];
}

/** What an application asks for comes on top, also of a preview that everybody could see otherwise. */
function shutFurther(
  guard: Guard | undefined,
  { ip, shareLinks }: ApplicationAccess,
  deps: DoorDeps,
): Guard | undefined {
  const base =
    guard ?? (ip && { rows: [], openServices: new Set<string>(), isUndecided: false, shareSeconds: SHARE_MAX_SECONDS });
  if (!base) return undefined;
  const row: readonly Row[] = ip ? [{ doors: [{ name: "ip", ...ipDoor(deps, ip) }], satisfy: "all" }] : [];
  return { ...base, rows: [...base.rows, ...row], ...(shareLinks === false ? { shareSeconds: undefined } : {}) };
}

type Places = Pick<DoorDeps, "placeOf" | "forgeLabel">;

function placesOf({ config: { repositories, forges = [] }, people = () => undefined }: GuardsDeps): Places {
  const places = repositories.flatMap(({ name, path, forge }) => {
    const found = forges.find((one) => one.name === forge);
    const kind = isLoginForge(found?.kind) ? forgeKinds[found.kind] : undefined;
    const server = kind?.serverOf(found?.options);
    return kind && server ? [[name, { path, kind, ...server, people: () => people(forge) }] as const] : [];
  });
  const byName = new Map(places);
  const labels = new Set(places.map(([, { kind }]) => kind.label));
  return { placeOf: (name) => byName.get(name), forgeLabel: [...labels].join(" or ") };
}

export function secretReader(environment: NodeJS.ProcessEnv | undefined): DoorDeps["secret"] {
  const known = new Map<SecretReference, { readonly value: Promise<string>; readonly until: number }>();
  return (reference) => {
    const kept = known.get(reference);
    if (kept && kept.until > performance.now()) return kept.value;
    const value = resolveSecret(reference, environment);
    known.set(reference, { value, until: performance.now() + SECRET_FRESH_MS });
    // One that could not be read is asked for again at once.
    value.catch(() => known.delete(reference));
    return value;
  };
}
