/** Which provider plays behind `@pulumi/kubernetes` on this machine. */
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { locateEngine } from "../../../infra/engine.ts";
import { cacheDir, installOnce } from "../../../infra/install-once.mjs";
import { pluginOf } from "../../../infra/plugins.ts";

export interface KubernetesPlugin {
  /** To be put first on an engine's PATH; the engine finds the plugin there. */
  readonly folder: string;
  /** One line for the suite's output. */
  readonly words: string;
  remove(): Promise<void>;
}

const program = "pulumi-resource-kubernetes";
const { version } = pluginOf("@pulumi/kubernetes");
const downloadTimeoutMs = 120_000;

/** The real plugin where it is installed, else the stand-in. */
export async function kubernetesPlugin(): Promise<KubernetesPlugin> {
  const folder = installedFolder();
  if (folder) return { folder, words: `provider of kubernetes: the real plugin in ${folder}`, remove: async () => {} };
  const made = await mkdtemp(join(tmpdir(), "stackling-plugin-"));
  await chmod(made, 0o755);
  const standIn = fileURLToPath(new URL("./provider.ts", import.meta.url));
  await writeFile(join(made, program), `#!/bin/sh\nexec "${process.execPath}" "${standIn}" "$@"\n`, { mode: 0o755 });
  return {
    folder: made,
    words: `provider of kubernetes: the tests' stand-in (the real plugin ${version} is neither installed nor downloadable)`,
    remove: () => rm(made, { recursive: true, force: true }),
  };
}

/** Gets the real plugin into the user's cache where it can be downloaded; says nothing where it cannot. */
export async function downloadKubernetesPlugin(): Promise<void> {
  if (installedFolder()) return;
  const { command } = await locateEngine();
  const fill = async (directory: string) => {
    const env = { PULUMI_HOME: directory, PULUMI_SKIP_UPDATE_CHECK: "true" };
    await execa(command, ["plugin", "install", "resource", "kubernetes", version], { env, timeout: downloadTimeoutMs });
  };
  await installOnce({ target: cachedHome(), fill }).catch(() => {});
}

function installedFolder(): string | undefined {
  const homes = [process.env.PULUMI_HOME ?? join(homedir(), ".pulumi"), cachedHome()];
  const installed = homes.map((home) => join(home, "plugins", `resource-kubernetes-v${version}`));
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...installed];
  return folders.find((folder) => folder !== "" && existsSync(join(folder, program)));
}

function cachedHome(): string {
  return join(cacheDir(), "kubernetes-plugin", version);
}
