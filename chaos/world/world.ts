/** What chaos is let loose on: one real embedded instance over a git repository of its own. */
import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { stopLeftovers } from "../../service/embedded/leftovers.ts";
import { type Instance, prepareInstance } from "../../test/e2e/support/instance.ts";
import { createRepository, type TestRepository } from "../../test/support/git-repository.ts";
import { chaosApp } from "./app.ts";

export interface ChaosWorld {
  /** Of the repository; hosts are `pr-<number>-<name>.localhost:<port>`. */
  readonly name: string;
  readonly repository: TestRepository;
  readonly instance: Instance;
  /** Ends every process of it, also after SIGKILLs, and removes its folders but for a data folder that is to be kept. */
  end(options: { readonly keepData: boolean }): Promise<void>;
}

export interface WorldOptions {
  readonly name: string;
  /** Engines at once. */
  readonly engineRuns: number;
}

/** As long as a service may take to end by itself. */
const STOP_WITHIN_MS = 60_000;

/** Prepared, not started. All is as the embedded default has it but for the number of engines. */
export async function prepareWorld({ name, engineRuns }: WorldOptions): Promise<ChaosWorld> {
  const repository = await createRepository({ files: chaosApp() });
  const instance = await prepareInstance({
    config: (port) =>
      [
        `port: ${port}`,
        "repositories:",
        `  - { path: ${repository.path}, name: ${name} }`,
        `limits: { engineRuns: ${engineRuns} }`,
        "",
      ].join("\n"),
  });
  return {
    name,
    repository,
    instance,
    async end({ keepData }) {
      const stopped = instance.pid() === 0 ? Promise.resolve() : instance.stop();
      const inTime = await Promise.race([stopped.then(() => true), delay(STOP_WITHIN_MS, false, { ref: false })]);
      if (!inTime) await instance.kill();
      // One that was killed last left its Postgres servers and its previews running.
      await stopLeftovers(instance.dataDir);
      if (!keepData) await rm(instance.dataDir, { recursive: true, force: true });
      await repository.remove();
    },
  };
}
