/**
 * The engine's provider plugins: programs of their own that it loads for a driver's resources, found on
 * PATH or among those that are installed, else downloaded by the engine at the first resource of their kind.
 */
import { readFileSync } from "node:fs";
import { access, constants, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { delimiter, join } from "node:path";
import { z } from "zod";
import type { Finding, TargetChoice } from "../components/ports.ts";

export interface EnginePlugin {
  /** `kubernetes`, as in `pulumi-resource-kubernetes`. */
  readonly name: string;
  /** Without the leading `v`. */
  readonly version: string;
  /** Where it is downloaded from; absent: Pulumi's own server. */
  readonly server?: string;
}

/** What is asked of a driver here. */
interface PluginUser {
  readonly options: unknown;
  readonly plugins?: readonly string[];
}

type Drivers = Readonly<Record<string, Readonly<Record<string, () => Promise<PluginUser>>>>>;

export interface PluginPlaces {
  /** The engines' own home; what is installed lies in its `plugins`. */
  readonly pulumiHome: string;
  readonly path: string;
}

const REACH_WITHIN_MS = 8_000;

/** What `doctor` says of every plugin that the targets need. */
export async function checkPlugins(
  drivers: Drivers,
  targets: readonly TargetChoice[],
  places: PluginPlaces,
): Promise<readonly Finding[]> {
  return Promise.all((await neededPlugins(drivers, targets)).map((plugin) => checkPlugin(plugin, places)));
}

/** Of all drivers that the targets name, each once. */
export async function neededPlugins(drivers: Drivers, targets: readonly TargetChoice[]): Promise<EnginePlugin[]> {
  const choices = targets.flatMap(({ service, database, dns, secrets }) =>
    Object.entries({ service, database, dns, secrets }),
  );
  const packages = await Promise.all(
    choices.map(async ([port, choice]) => (choice && (await drivers[port]?.[choice.driver]?.())?.plugins) ?? []),
  );
  return [...new Set(packages.flat())].map(pluginOf);
}

const sdkPackage = z.object({
  pulumi: z.object({ resource: z.literal(true), name: z.string(), version: z.string(), server: z.string().optional() }),
});

/** The plugin that belongs to a provider's npm package, in the version that this one names. */
export function pluginOf(sdk: string): EnginePlugin {
  const file = createRequire(import.meta.url).resolve(`${sdk}/package.json`);
  const { name, version, server } = sdkPackage.parse(JSON.parse(readFileSync(file, "utf8"))).pulumi;
  return { name, version, ...(server !== undefined && { server }) };
}

/** Whether an engine will find it, or can get it; downloads nothing. Takes at most some seconds. */
export async function checkPlugin(plugin: EnginePlugin, places: PluginPlaces): Promise<Finding> {
  const called = `the engine's plugin "${plugin.name}" ${plugin.version}`;
  if (await isInstalled(plugin, places)) return { ok: true, what: `${called} is installed` };
  const address = downloadAddress(plugin);
  if (!address) return { ok: true, what: `${called} is downloaded from "${plugin.server}" when it is first needed` };
  const fault = await unreachable(address);
  // Engines go through a proxy of the environment, `fetch` by itself does not.
  if (fault === undefined || process.env.HTTPS_PROXY || process.env.https_proxy)
    return { ok: true, what: `${called} is downloaded when it is first needed` };
  return {
    ok: false,
    what: `${called} is not installed, and "${new URL(address).host}" ${fault}`,
    remedy: `PULUMI_HOME=${places.pulumiHome} ${installCommand(plugin)}, or put pulumi-resource-${plugin.name} on the service's PATH`,
  };
}

/** `pulumi plugin install resource kubernetes v4.34.2` */
export function installCommand({ name, version, server }: EnginePlugin): string {
  return `pulumi plugin install resource ${name} v${version}${server === undefined ? "" : ` --server ${server}`}`;
}

/** On PATH any version serves, as for the engine itself. */
async function isInstalled({ name, version }: EnginePlugin, { pulumiHome, path }: PluginPlaces): Promise<boolean> {
  const installed: readonly string[] = await readdir(join(pulumiHome, "plugins")).catch(() => []);
  if (installed.includes(`resource-${name}-v${version}`)) return true;
  const found = path.split(delimiter).map((folder) =>
    access(join(folder, `pulumi-resource-${name}`), constants.X_OK).then(
      () => true,
      () => false,
    ),
  );
  return (await Promise.all(found)).includes(true);
}

/** As the engine asks for it (sdk/go/common/workspace/plugins.go); undefined for servers that speak no plain HTTP. */
function downloadAddress({ name, version, server = "https://get.pulumi.com/releases/plugins" }: EnginePlugin) {
  if (!server.startsWith("https://")) return undefined;
  const machine = arch() === "x64" ? "amd64" : arch();
  return `${server.replace(/\/$/, "")}/pulumi-resource-${name}-v${version}-${platform()}-${machine}.tar.gz`;
}

async function unreachable(address: string): Promise<string | undefined> {
  try {
    const { ok, status } = await fetch(address, { method: "HEAD", signal: AbortSignal.timeout(REACH_WITHIN_MS) });
    return ok ? undefined : `answers ${status}`;
  } catch {
    return "cannot be reached";
  }
}
