/** Which provider plays behind `@pulumi/kubernetes` on this machine. */
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

export interface KubernetesPlugin {
  /** To be put first on an engine's PATH; the engine finds the plugin there. */
  readonly folder: string;
  /** One line for the suite's output. */
  readonly words: string;
  remove(): Promise<void>;
}

const name = "pulumi-resource-kubernetes";

/** The real plugin where it is installed, else the stand-in. */
export async function kubernetesPlugin(): Promise<KubernetesPlugin> {
  const folder = installedFolder();
  if (folder) return { folder, words: `provider of kubernetes: the real plugin in ${folder}`, remove: async () => {} };
  const made = await mkdtemp(join(tmpdir(), "stackling-plugin-"));
  await chmod(made, 0o755);
  const program = fileURLToPath(new URL("./provider.ts", import.meta.url));
  await writeFile(join(made, name), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`, { mode: 0o755 });
  return {
    folder: made,
    words: "provider of kubernetes: the tests' stand-in (the real plugin is not installed)",
    remove: () => rm(made, { recursive: true, force: true }),
  };
}

function installedFolder(): string | undefined {
  const plugins = join(process.env.PULUMI_HOME ?? join(homedir(), ".pulumi"), "plugins");
  const versions = existsSync(plugins)
    ? readdirSync(plugins).filter((one) => /^resource-kubernetes-v4\./.test(one))
    : [];
  const newest = versions.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...(newest ? [join(plugins, newest)] : [])];
  return folders.find((folder) => folder !== "" && existsSync(join(folder, name)));
}
