/** Where an approved pull request of a stranger may run: which targets keep previews apart from the service. */
import type { Finding } from "../components/ports.ts";
import { registry } from "../components/registry.ts";
import type { OperatorConfig, TargetConfig } from "./config/types.ts";
import type { Isolation } from "./trust.ts";

/** By the target's name; of one that is not there, nothing is kept apart. */
export type IsolationOf = (target: string) => Isolation;

/** What is asked of a driver. */
interface Keeper {
  readonly options: unknown;
  /** Of service drivers. */
  readonly isolates?: () => boolean;
  /** Of database drivers. */
  readonly trustedOnly?: true;
}
type Drivers = Readonly<Record<string, () => Promise<Keeper>>>;

/** Asks each target's own drivers, as it is where this runs. */
export async function readIsolation({ targets }: Pick<OperatorConfig, "targets">): Promise<IsolationOf> {
  const read = targets.map(async (target) => [target.name, await isolationIn(target)] as const);
  const known = new Map(await Promise.all(read));
  return (target) => known.get(target) ?? "together";
}

async function isolationIn({ service, database }: TargetConfig): Promise<Isolation> {
  const [services, databases]: readonly [Drivers, Drivers] = [registry.service, registry.database];
  if (database && (await find(databases, database.driver))?.trustedOnly) return "sharing";
  const driver = await find(services, service.driver);
  return driver && (driver.isolates?.() ?? true) ? "apart" : "together";
}

async function find(drivers: Drivers, name: string): Promise<Keeper | undefined> {
  return Object.hasOwn(drivers, name) ? drivers[name]?.() : undefined;
}

/** What `doctor` says where strangers' pull requests could come and would not be kept apart. */
export function isolationFindings(
  { forges, repositories, targets }: Pick<OperatorConfig, "forges" | "repositories" | "targets">,
  isolationOf: IsolationOf,
): readonly Finding[] {
  const kindOf = (forge: string) => forges.find(({ name }) => name === forge)?.kind;
  // Git repositories of this machine have no forks.
  const open = repositories.filter(({ forge }) => kindOf(forge) !== "local");
  return open.flatMap(({ name, target, untrusted }): readonly Finding[] => {
    const isolation = isolationOf(target);
    const strangers = `pull requests of forks and outsiders to "${name}"`;
    if (isolation === "apart") {
      const found = targets.find((one) => one.name === target);
      if (found?.service.driver !== "local") return [];
      const reach = found.enforcesEgress
        ? "reach named hosts only, but for what installs and builds"
        : "share this machine's loopback and network";
      const what = `${strangers}, once approved, run as a system user of their own and ${reach}`;
      return [{ ok: true, what, remedy: "choose a target elsewhere where strangers are many" }];
    }
    if (isolation === "sharing") {
      const what = `${strangers} cannot be approved: databases of the target "${target}" hold data that is not the preview's own`;
      return [{ ok: true, what }];
    }
    if (untrusted?.withoutIsolation) {
      const what = `${strangers} run, once approved, as the service's own user and read what it can (untrusted.withoutIsolation)`;
      return [{ ok: true, what, remedy: "run the service as root, so that each preview has a system user of its own" }];
    }
    const what = `${strangers} cannot be approved: the service does not run as root, so previews have no system user of their own`;
    const remedy =
      "run the service as root, or choose a target elsewhere; `untrusted.withoutIsolation` allows it as it is";
    return [{ ok: true, what, remedy }];
  });
}
