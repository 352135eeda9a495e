/** The local provider under the real engine, with a stack and a backend of its own. */
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { LocalWorkspace, type PulumiFn, type Stack } from "@pulumi/pulumi/automation/index.js";
import { owned, remove as removeOwned } from "../../../components/local/operations.ts";
import { startProvider } from "../../../components/local/provider.ts";
import { locateEngine } from "../../../infra/engine.ts";

export async function createEngineWorld(stackName: string, program: PulumiFn) {
  const dataDir = await realpath(await mkdtemp(join(tmpdir(), "stackling-engine-")));
  let fence: number | undefined = 1;
  const provider = await startProvider({ dataDir }, { currentFence: () => fence });
  // The API looks for the engine on PATH, unless it lies where the API itself installs one.
  process.env.PATH = `${dirname((await locateEngine()).command)}${delimiter}${process.env.PATH}`;
  // Left to choose, the API keeps a folder of its own in the system's temp folder.
  const workDir = join(dataDir, "work");
  await mkdir(workDir);
  const stack: Stack = await LocalWorkspace.createStack(
    { stackName, projectName: "stackling", program },
    {
      workDir,
      pulumiHome: join(dataDir, "pulumi-home"),
      envVars: {
        PULUMI_BACKEND_URL: `file://${dataDir}`,
        PULUMI_CONFIG_PASSPHRASE: "test",
        PULUMI_DEBUG_PROVIDERS: `stackling:${provider.port}`,
      },
    },
  );
  return {
    dataDir,
    stack,
    setFence: (value: number | undefined) => {
      fence = value;
    },
    async close() {
      await provider.close();
      for (const thing of await owned(dataDir)) if (thing.kind === "folder") await removeOwned(dataDir, thing);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
