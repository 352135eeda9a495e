import type { z } from "zod";
import { layout } from "../../components/local/layout.ts";
import type { DriverChoice, TargetChoice } from "../../components/ports.ts";
import { closest } from "./closest.ts";
import { localDrivers, remoteDrivers } from "./defaults.ts";
import type { DriverFile, TargetFile } from "./operator-schema.ts";
import type { TargetConfig } from "./types.ts";
import { checkValue, type Misfit } from "./yaml-file.ts";

type Port = keyof typeof localDrivers | "backing";

/** The half of a driver that a config needs. */
interface ConfigurableDriver {
  readonly options: z.ZodType<unknown>;
  readonly refuses?: (target: TargetChoice) => string | undefined;
  readonly placedBy?: readonly string[];
  /** Of service drivers. */
  readonly runs?: TargetConfig["runs"];
  /** Of database drivers that give previews none of their own. */
  readonly shares?: unknown;
  /** Of drivers that give previews a part of a server: the names of what reaches it. */
  readonly gives?: readonly string[];
}

/** What is asked of `components/registry.ts`, by port and name. */
export type DriverOptions = Readonly<Record<Port, Readonly<Record<string, () => Promise<ConfigurableDriver>>>>>;

export interface TargetSurroundings {
  readonly registry: DriverOptions;
  /** The instance's own; drivers that work on this machine use it unless the file says otherwise. */
  readonly dataDir: string;
  /** Where the gateway answers, without a port; drivers that lead hosts to it use it unless the file says otherwise. */
  readonly domain?: string;
}

/** A target with every driver's options parsed by that driver's own schema; only drivers it names are loaded. */
export async function resolveTarget(
  name: string,
  file: TargetFile,
  { registry, dataDir, domain }: TargetSurroundings,
): Promise<{ readonly target?: TargetConfig; readonly misfits: readonly Misfit[] }> {
  const serviceDriver = nameOf(file.service ?? localDrivers.service);
  const onThisMachine = serviceDriver === localDrivers.service;
  const lacksDatabase = !onThisMachine && file.database === undefined;
  const defaults = onThisMachine ? localDrivers : { ...localDrivers, ...remoteDrivers };
  const choose = (port: keyof typeof localDrivers, typed: DriverFile | undefined) =>
    chooseDriver({
      path: ["targets", name, port],
      typed: typed ?? defaults[port],
      port,
      known: registry[port],
      dataDir,
      onThisMachine,
      ...(domain !== undefined && { domain }),
    });
  const [service, database, dns, secrets] = await Promise.all([
    choose("service", file.service),
    file.database === false || lacksDatabase ? undefined : choose("database", file.database),
    choose("dns", file.dns),
    choose("secrets", file.secrets),
  ]);
  const backing = await Promise.all(
    Object.entries(file.backing ?? {}).map(async ([of, typed]) => {
      const path = ["targets", name, "backing", of];
      const chosen = await chooseDriver({
        path,
        typed,
        port: "backing",
        known: registry.backing,
        dataDir,
        onThisMachine,
      });
      return [of, chosen] as const;
    }),
  );
  const misfits = [service, database, dns, secrets, ...backing.map(([, chosen]) => chosen)].flatMap(
    (chosen) => chosen?.misfits ?? [],
  );
  if (lacksDatabase && Object.hasOwn(registry.service, serviceDriver)) misfits.push(noDatabase(name));
  if (!service.choice || !dns.choice || !secrets.choice || misfits.length > 0) return { misfits };
  const choice: TargetChoice = {
    service: service.choice,
    dns: dns.choice,
    secrets: secrets.choice,
    ...(database?.choice ? { database: database.choice } : {}),
    ...(backing.length > 0
      ? { backing: Object.fromEntries(backing.flatMap(([of, { choice: one }]) => (one ? [[of, one]] : []))) }
      : {}),
  };
  const refusals = Object.entries({ service, database, dns, secrets }).flatMap(([port, chosen]): Misfit[] => {
    const reason = chosen?.driver?.refuses?.(choice);
    return reason ? [{ path: ["targets", name, port], message: `"targets.${name}.${port}": ${reason}` }] : [];
  });
  if (refusals.length > 0) return { misfits: refusals };
  const { program } = file;
  const runs = service.driver?.runs ?? "source";
  const placesOfParts = Object.fromEntries(backing.map(([of, { placedBy }]) => [of, placedBy ?? []]));
  const places = {
    service: service.placedBy ?? [],
    database: database?.placedBy ?? [],
    ...(backing.length > 0 && { backing: placesOfParts }),
  };
  const shared = database?.driver?.shares === undefined ? {} : { sharesDatabase: true as const };
  const gives = Object.fromEntries(backing.map(([of, { driver }]) => [of, driver?.gives ?? []]));
  const parts = backing.length > 0 ? { gives } : {};
  return {
    target: { name, ...choice, runs, places, ...shared, ...parts, ...(program !== undefined ? { program } : {}) },
    misfits,
  };
}

/** This machine's own database server is out of a cluster's reach, so there is nothing to fall back on. */
function noDatabase(target: string): Misfit {
  const message = `"targets.${target}" needs a "database": a driver, such as {driver: clone, server: {env: PREVIEW_DATABASES_URL}}, or false`;
  return { path: ["targets", target], message };
}

function nameOf(typed: DriverFile): string {
  return typeof typed === "string" ? typed : typed.driver;
}

interface Choosing {
  readonly path: readonly string[];
  readonly typed: DriverFile;
  readonly port: Port;
  readonly known: DriverOptions[Port];
  readonly dataDir: string;
  readonly domain?: string;
  /** Whether the target's services run here. */
  readonly onThisMachine: boolean;
}

/** Database drivers that work on this machine's own server unless they are told another. */
const ON_OWN_SERVER: ReadonlySet<string> = new Set(["clone", "empty", "schema", "snapshot", "shared", "replica"]);

/** What drivers need to know of this instance and nobody should have to write down. */
function ownOptions(
  { port, dataDir, domain, onThisMachine }: Choosing,
  driver: string,
): Readonly<Record<string, unknown>> {
  if (port === "service" && driver === "local") return { dataDir };
  if (port === "dns" && driver === "gateway") return { dataDir };
  if (port === "dns" && (driver === "wildcard" || driver === "cloudflare") && domain !== undefined) return { domain };
  if (port === "database" && ON_OWN_SERVER.has(driver) && onThisMachine)
    return { server: { file: layout(dataDir).previewsUrl } };
  return {};
}

interface Chosen {
  readonly choice?: DriverChoice;
  readonly driver?: ConfigurableDriver;
  readonly placedBy?: readonly string[];
  readonly misfits: readonly Misfit[];
}

async function chooseDriver(choosing: Choosing): Promise<Chosen> {
  const { path, typed, port, known } = choosing;
  const { driver: name, ...options } = typeof typed === "string" ? { driver: typed } : typed;
  const load = Object.hasOwn(known, name) ? known[name] : undefined;
  if (!load) {
    const hint = closest(name, Object.keys(known));
    const names = Object.keys(known).join(", ");
    const message = `"${path.join(".")}": there is no ${port} driver "${name}"; ${hint ? `did you mean "${hint}"?` : `known: ${names}`}`;
    return { misfits: [{ path, message }] };
  }
  const driver = await load();
  const own = ownOptions(choosing, name);
  const absent = Object.keys(ownOptions({ ...choosing, onThisMachine: true }, name)).find(
    (option) => !(option in own) && !(option in options),
  );
  if (absent !== undefined) {
    const message = `"${path.join(".")}" needs "${absent}": the services run elsewhere, where this machine's own is out of reach`;
    return { misfits: [{ path, message }] };
  }
  const checked = checkValue(driver.options, { ...own, ...options }, path);
  if ("misfits" in checked) return { misfits: checked.misfits };
  const choice = { driver: name, options: checked.value as Readonly<Record<string, unknown>> };
  // What is this instance's own moves with its data folder.
  const placedBy = driver.placedBy?.filter((option) => !(option in own) || option in options);
  return { choice, driver, misfits: [], ...(placedBy && { placedBy }) };
}
