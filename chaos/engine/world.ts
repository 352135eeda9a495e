/** A real instance with short limits, whose builds can be made to wait. */
import { type Instance, prepareInstance } from "../../test/e2e/support/instance.ts";
import { tinyApp } from "../../test/e2e/support/tiny-app.ts";
import { createRepository, type TestRepository } from "../../test/support/git-repository.ts";
import type { FaultWorld } from "../faults.ts";

export interface EngineWorld extends FaultWorld {
  readonly instance: Instance;
  readonly repository: TestRepository;
}

export async function startEngineWorld(): Promise<EngineWorld> {
  const repository = await createRepository({ files: tinyApp({ text: "main", build: "" }) });
  const instance = await prepareInstance({
    config: (port) => `port: ${port}\nrepositories:\n  - { path: ${repository.path}, name: hung }\n`,
    runnerLimits: { silenceMs: 15_000, killMs: 2_000 },
  });
  const remove = async () => {
    await instance.remove();
    await repository.remove();
  };
  try {
    await instance.start();
  } catch (error) {
    await remove();
    throw error;
  }
  return { instance, repository, remove };
}
