/** Facts about the machine and the versions, without which no figure means anything. */
import { readFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, platform, release, tmpdir, totalmem } from "node:os";
import { execa } from "execa";
import { locateEngine, sdkVersion } from "../infra/engine.ts";

export interface MachineFacts {
  readonly cores: number;
  readonly processor: string;
  readonly memoryMiB: number;
  /** Where temporary folders lie, and with them every data folder of the benchmark. */
  readonly fileSystem: string;
  readonly system: string;
  /** Over one, five and fifteen minutes, before anything was started. */
  readonly load: readonly number[];
  readonly versions: Readonly<Record<string, string>>;
}

export async function readMachine(): Promise<MachineFacts> {
  const engine = await locateEngine();
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? "unknown",
    memoryMiB: Math.round(totalmem() / 1024 ** 2),
    fileSystem: await fileSystemOf(tmpdir()),
    system: `${platform()} ${release()}`,
    load: loadavg().map((value) => Math.round(value * 100) / 100),
    versions: {
      stackling: await ownVersion(),
      node: process.versions.node,
      "pulumi engine": engine.version,
      "pulumi sdk": sdkVersion(),
    },
  };
}

/** Type of the file system that holds `folder`. */
export async function fileSystemOf(folder: string): Promise<string> {
  const { stdout = "" } = await execa("df", ["--output=fstype", folder], { reject: false });
  return stdout.split("\n")[1]?.trim() || platform();
}

/** One line for people. */
export function describeMachine(facts: MachineFacts): string {
  const versions = Object.entries(facts.versions).map(([name, version]) => `${name} ${version}`);
  const { cores, memoryMiB, fileSystem, system, load } = facts;
  return `${cores} cores, ${(memoryMiB / 1024).toFixed(1)} GiB, ${fileSystem}, ${system}, load ${load.join(" ")}; ${versions.join(", ")}`;
}

async function ownVersion(): Promise<string> {
  const text = await readFile(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
