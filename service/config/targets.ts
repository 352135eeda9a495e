import type { z } from "zod";
import { layout } from "../../components/local/layout.ts";
import { closest } from "./closest.ts";
import { localDrivers } from "./defaults.ts";
import type { DriverFile, TargetFile } from "./operator-schema.ts";
import type { DriverChoice, TargetConfig } from "./types.ts";
import { checkValue, type Misfit } from "./yaml-file.ts";

type Port = keyof typeof localDrivers;

/** What is asked of `components/registry.ts`: by port and name, something with an option schema. */
export type DriverOptions = Readonly<
  Record<Port, Readonly<Record<string, () => Promise<{ readonly options: z.ZodType<unknown> }>>>>
>;

export interface TargetSurroundings {
  readonly registry: DriverOptions;
  /** The instance's own; drivers that work on this machine use it unless the file says otherwise. */
  readonly dataDir: string;
}

/** A target with every driver's options parsed by that driver's own schema; only drivers it names are loaded. */
export async function resolveTarget(
  name: string,
  file: TargetFile,
  { registry, dataDir }: TargetSurroundings,
): Promise<{ readonly target?: TargetConfig; readonly misfits: readonly Misfit[] }> {
  const choose = (port: Port, typed: DriverFile | undefined) =>
    chooseDriver({
      path: ["targets", name, port],
      typed: typed ?? localDrivers[port],
      port,
      known: registry[port],
      dataDir,
    });
  const [service, database, dns, secrets] = await Promise.all([
    choose("service", file.service),
    file.database === false ? undefined : choose("database", file.database),
    choose("dns", file.dns),
    choose("secrets", file.secrets),
  ]);
  const misfits = [service, database, dns, secrets].flatMap((choice) => choice?.misfits ?? []);
  if (!service.choice || !dns.choice || !secrets.choice || misfits.length > 0) return { misfits };
  const target = { name, service: service.choice, dns: dns.choice, secrets: secrets.choice };
  return { target: database?.choice ? { ...target, database: database.choice } : target, misfits };
}

interface Choosing {
  readonly path: readonly string[];
  readonly typed: DriverFile;
  readonly port: Port;
  readonly known: DriverOptions[Port];
  readonly dataDir: string;
}

/** What drivers of this machine need to know and nobody should have to write down. */
function ownOptions(port: Port, driver: string, dataDir: string): Readonly<Record<string, unknown>> {
  if (port === "service" && driver === "local") return { dataDir };
  if (port === "dns" && driver === "gateway") return { dataDir };
  if (port === "database" && driver === "clone") return { server: { file: layout(dataDir).previewsUrl } };
  return {};
}

async function chooseDriver({ path, typed, port, known, dataDir }: Choosing): Promise<{
  readonly choice?: DriverChoice;
  readonly misfits: readonly Misfit[];
}> {
  const { driver, ...options } = typeof typed === "string" ? { driver: typed } : typed;
  const load = Object.hasOwn(known, driver) ? known[driver] : undefined;
  if (!load) {
    const hint = closest(driver, Object.keys(known));
    const names = Object.keys(known).join(", ");
    const message = `"${path.join(".")}": there is no ${port} driver "${driver}"; ${hint ? `did you mean "${hint}"?` : `known: ${names}`}`;
    return { misfits: [{ path, message }] };
  }
  const checked = checkValue((await load()).options, { ...ownOptions(port, driver, dataDir), ...options }, path);
  if ("misfits" in checked) return { misfits: checked.misfits };
  return { choice: { driver, options: checked.value as Readonly<Record<string, unknown>> }, misfits: [] };
}
