import type { z } from "zod";
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

/** A target with every driver's options parsed by that driver's own schema; only drivers it names are loaded. */
export async function resolveTarget(
  name: string,
  file: TargetFile,
  registry: DriverOptions,
): Promise<{ readonly target?: TargetConfig; readonly misfits: readonly Misfit[] }> {
  const choose = (port: Port, typed: DriverFile | undefined) =>
    chooseDriver({ path: ["targets", name, port], typed: typed ?? localDrivers[port], port, known: registry[port] });
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
}

async function chooseDriver({ path, typed, port, known }: Choosing): Promise<{
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
  const checked = checkValue((await load()).options, options, path);
  if ("misfits" in checked) return { misfits: checked.misfits };
  return { choice: { driver, options: checked.value as Readonly<Record<string, unknown>> }, misfits: [] };
}
