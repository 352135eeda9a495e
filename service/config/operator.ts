import { resolve } from "node:path";
import { ConfigError } from "../../components/errors.ts";
import { registry } from "../../components/registry.ts";
import { type ForgeName, forges } from "../forges/registry.ts";
import { accessMisfits, accessOf } from "./access-schema.ts";
import { bannerMisfits } from "./banner.ts";
import { resolveBaselines } from "./baselines.ts";
import { budgetMisfits, budgetsOf } from "./budgets.ts";
import { chatOf } from "./chat.ts";
import { verbosityOf } from "./comment-schema.ts";
import { templateOf } from "./comment-template.ts";
import { costsOf } from "./costs.ts";
import { dashboardMisfits, dashboardOf } from "./dashboard.ts";
import {
  DEFAULT_PORT,
  defaultApplicationLogs,
  defaultAudit,
  defaultDrift,
  defaultImages,
  defaultLifecycle,
  defaultSweep,
} from "./defaults.ts";
import { parseDuration } from "./duration.ts";
import { hooksOf } from "./hooks.ts";
import { lifecycleMisfits, timesOf } from "./lifecycle-times.ts";
import { limitsOf } from "./limits.ts";
import { metricsOf } from "./metrics.ts";
import { relayMisfits } from "./oauth-relay.ts";
import { forgeNames, type OperatorFile, operatorSchema, type TargetFile } from "./operator-schema.ts";
import { place, placeAll } from "./place.ts";
import { prometheusOf } from "./prometheus.ts";
import { resolveRepositories } from "./repositories.ts";
import { signaturesOf } from "./signatures.ts";
import { stageMisfits } from "./stage-misfits.ts";
import { resolveTarget } from "./targets.ts";
import { tellingMisfits } from "./tellings.ts";
import type { ForgeConfig, OperatorConfig, TargetConfig } from "./types.ts";
import { byLine, checkValue, type Misfit, readYamlFile } from "./yaml-file.ts";

/**
 * Reads `stackling.yaml`. Relative paths in it start at `directory`, the folder the file lies in.
 * Options of forges and drivers are parsed by their own schemas. Throws `ConfigError` with every
 * problem at once.
 */
export async function parseOperator(
  text: string,
  { file, directory, dataDir }: { readonly file: string; readonly directory: string; readonly dataDir: string },
): Promise<OperatorConfig> {
  const yaml = readYamlFile(text, operatorSchema);
  if (yaml.value === undefined) throw new ConfigError(file, yaml.problems);
  const { forges: typedForges, targets: typedTargets, ...rest } = yaml.value;
  const typed: OperatorFile = {
    ...rest,
    ...(typedForges ? { forges: placeAll(typedForges, directory) } : {}),
    ...(typedTargets ? { targets: placeAll(typedTargets, directory) } : {}),
  };
  const connected = await resolveForges(typed);
  const at = address(typed);
  const domain = new URL(`${at.scheme}://${at.domain}`).hostname;
  const targets = await Promise.all(
    Object.entries(typed.targets ?? { local: {} }).map(([name, target]) =>
      resolveTarget(name, placeProgram(target, directory), { registry, dataDir, domain }),
    ),
  );
  const repositories = resolveRepositories(typed, { directory, forges: connected.forges });
  const template = await templateOf(typed.commentTemplate, directory);
  const baselines = resolveBaselines(typed.baselines, { directory, targets });
  const costs = await costsOf(typed.costs, { directory, targets: typed.targets ?? { local: {} } });
  const misfits = [
    ...template.misfits,
    ...costs.misfits,
    ...budgetMisfits(typed.budgets, repositories.repositories),
    ...baselines.misfits,
    ...connected.misfits,
    ...targets.flatMap((t) => t.misfits),
    ...repositories.misfits,
    ...lifecycleMisfits(typed),
    ...accessMisfits({ ...repositories, ...connected, targets, access: typed.access }),
    ...dashboardMisfits(typed.dashboard, connected),
    ...bannerMisfits({ ...repositories, targets, banner: typed.banner }),
    ...relayMisfits({ ...repositories, targets }),
    ...tellingMisfits(typed),
    ...stageMisfits({
      ...repositories,
      ...connected,
      targets,
      targetNames: Object.keys(typed.targets ?? { local: {} }),
      access: typed.access,
      banner: typed.banner,
    }),
  ];
  if (misfits.length > 0) throw new ConfigError(file, byLine(misfits.map((m) => yaml.problemAt(m.path, m.message))));
  return {
    ...at,
    forges: connected.forges,
    repositories: repositories.repositories,
    targets: targets.flatMap((t): TargetConfig[] => (t.target ? [t.target] : [])),
    ...accessOf(typed, directory),
    ...dashboardOf(typed.dashboard, { directory, forges: connected.forges }),
    ...(typed.egress ? { egress: typed.egress } : {}),
    ...(typed.banner === undefined ? {} : { banner: typed.banner }),
    ...(typed.trustForwarded ? { trustForwarded: typed.trustForwarded } : {}),
    ...(typed.store ? { store: place(typed.store, directory) } : {}),
    ...engineOf(typed, directory),
    ...(typed.token ? { token: place(typed.token, directory) } : {}),
    ...(typed.log ? { log: typed.log } : {}),
    ...(typed.baselines ? { baselines: baselines.baselines } : {}),
    ...prometheusOf(typed.prometheus, directory),
    ...metricsOf(typed.metrics, directory),
    ...(costs.costs ? { costs: costs.costs } : {}),
    ...budgetsOf(typed.budgets),
    images: imagesOf(typed.images, directory),
    limits: limitsOf(typed.limits),
    lifecycle: {
      ...timesOf(typed.lifecycle, defaultLifecycle),
      resyncSeconds: parseDuration(typed.lifecycle?.resync ?? "") ?? defaultLifecycle.resyncSeconds,
    },
    drift: {
      policy: typed.drift?.policy ?? defaultDrift.policy,
      everySeconds: parseDuration(typed.drift?.every ?? "") ?? defaultDrift.everySeconds,
    },
    sweep: { everySeconds: parseDuration(typed.sweep?.every ?? "") ?? defaultSweep.everySeconds },
    audit: { keepDays: daysOf(typed.audit?.keep) ?? defaultAudit.keepDays },
    applicationLogs: { keepDays: daysOf(typed.applicationLogs?.keep) ?? defaultApplicationLogs.keepDays },
    ...(typed.policy === undefined ? {} : { policy: typed.policy }),
    ...(typed.fallbackUrl === undefined ? {} : { fallbackUrl: typed.fallbackUrl }),
    comments: verbosityOf(typed.comments) ?? "full",
    ...chatOf(typed.chat, directory),
    ...hooksOf(typed.hooks, directory),
    ...(template.commentTemplate ? { commentTemplate: template.commentTemplate } : {}),
  };
}

/** Whole days, at least one. */
function daysOf(typed: string | undefined): number | undefined {
  const seconds = parseDuration(typed ?? "");
  return seconds === undefined ? undefined : Math.max(1, Math.ceil(seconds / 86_400));
}

function address(typed: OperatorFile): Pick<OperatorConfig, "domain" | "scheme" | "host" | "port"> {
  const port = typed.port ?? DEFAULT_PORT;
  const url = new URL(typed.url ?? `http://localhost:${port}`);
  return {
    domain: url.host,
    scheme: url.protocol === "https:" ? "https" : "http",
    host: typed.host ?? "127.0.0.1",
    port,
  };
}

/** What is said about the engines: where their state lies, what encrypts it, and what they get to reach both. */
function engineOf(
  { backend, passphrase, secretsProvider, engineEnvironment }: OperatorFile,
  directory: string,
): Pick<OperatorConfig, "backend" | "backendReference" | "passphrase" | "secretsProvider" | "engineEnvironment"> {
  const where =
    backend === undefined
      ? {}
      : typeof backend === "string"
        ? { backend }
        : { backendReference: place(backend, directory) };
  return {
    ...where,
    ...(passphrase ? { passphrase: place(passphrase, directory) } : {}),
    ...(secretsProvider !== undefined ? { secretsProvider } : {}),
    ...(engineEnvironment ? { engineEnvironment } : {}),
  };
}

function imagesOf(typed: OperatorFile["images"] = {}, directory: string): OperatorConfig["images"] {
  const { registries, credentials = {}, signatures, waitMinutes } = typed;
  const placed = Object.entries(credentials).map(([host, { username, password }]) => [
    host,
    { username, password: place(password, directory) },
  ]);
  return {
    ...(registries ? { registries } : {}),
    credentials: Object.fromEntries(placed),
    ...signaturesOf(signatures, directory),
    waitSeconds: waitMinutes === undefined ? defaultImages.waitSeconds : waitMinutes * 60,
  };
}

async function resolveForges(typed: OperatorFile): Promise<{
  readonly forges: readonly ForgeConfig[];
  readonly misfits: readonly Misfit[];
}> {
  const found: ForgeConfig[] = [];
  const misfits: Misfit[] = [];
  for (const [name, { kind: chosen, ...options }] of Object.entries(typed.forges ?? { local: {} })) {
    const kind = chosen ?? forgeNames.find((known: ForgeName) => known === name);
    if (!kind) {
      const message = `"forges.${name}" needs a "kind", one of ${forgeNames.join(", ")}`;
      misfits.push({ path: ["forges", name], message });
      continue;
    }
    const { options: schema } = await forges[kind]();
    const checked = checkValue<unknown>(schema, options, ["forges", name]);
    if ("misfits" in checked) misfits.push(...checked.misfits);
    else found.push({ name, kind, options: checked.value });
  }
  return { forges: found, misfits };
}

function placeProgram(target: TargetFile, directory: string): TargetFile {
  return target.program === undefined ? target : { ...target, program: resolve(directory, target.program) };
}
