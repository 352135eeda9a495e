/** One real instance whose state and previews lie on small disks of their own. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { layout } from "../../components/local/layout.ts";
import { locateEngine } from "../../infra/engine.ts";
import { PROJECT } from "../../infra/names.ts";
import { type Instance, prepareInstance } from "../../test/e2e/support/instance.ts";
import { tinyApp } from "../../test/e2e/support/tiny-app.ts";
import { dial } from "../../test/e2e/support/visitor.ts";
import { createRepository, type TestRepository } from "../../test/support/git-repository.ts";
import { type Mount, mountMemory } from "./mounts.ts";

export interface DiskWorld {
  readonly instance: Instance;
  readonly repository: TestRepository;
  readonly state: Mount;
  readonly previews: Mount;
  /** Reasons by part, as `/readyz` names them. */
  away(): Promise<Readonly<Record<string, string>>>;
  /** What is half written or cannot be read by a person's own `pulumi`, in words. */
  brokenState(): Promise<string[]>;
  remove(): Promise<void>;
}

const NAME = "disk";

export async function startDiskWorld(): Promise<DiskWorld> {
  const repository = await createRepository({ files: tinyApp({ text: "main", build: "" }) });
  const instance = await prepareInstance({
    config: (port) =>
      `port: ${port}\nrepositories:\n  - { path: ${repository.path}, name: ${NAME} }\nlifecycle: { resync: 2s }\nlimits: { diskFreeMiB: 2 }\n`,
  });
  const { state: stateFolder, previews: previewsFolder } = layout(instance.dataDir);
  const mounts: Mount[] = [];
  const remove = async () => {
    for (const mount of mounts) await mount.setWritable(true).catch(() => {});
    for (const mount of mounts) await mount.free().catch(() => {});
    if (instance.pid() !== 0) await instance.stop();
    for (const mount of mounts) await mount.unmount();
    await instance.remove();
    await repository.remove();
  };
  try {
    // A folder with mounts in it would not be taken for a new data folder; nothing lies there yet.
    await instance.start();
    const state = await mountMemory(stateFolder, { mib: 16, mode: "0700" });
    mounts.push(state);
    const previews = await mountMemory(previewsFolder, { mib: 64, mode: "0711" });
    mounts.push(previews);
    return {
      instance,
      repository,
      state,
      previews,
      away: async () => {
        const { text } = await dial(instance.port, { path: "/readyz" });
        return (JSON.parse(text) as { reasons?: Readonly<Record<string, string>> }).reasons ?? {};
      },
      brokenState: () => findBroken(instance.dataDir),
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function findBroken(dataDir: string): Promise<string[]> {
  const { state, passphrase, pulumiHome } = layout(dataDir);
  const folder = join(state, ".pulumi", "stacks", PROJECT);
  const files = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  const { command } = await locateEngine();
  const broken: string[] = [];
  for (const file of files) {
    const text = await readFile(join(folder, file), "utf8").catch(() => undefined);
    // Removed with its stack while we look.
    if (text === undefined) continue;
    try {
      JSON.parse(text);
    } catch {
      broken.push(`${file} is no JSON: ${text.length} bytes`);
      continue;
    }
    const stack = `organization/${PROJECT}/${file.slice(0, -".json".length)}`;
    const { failed, stderr } = await execa(command, ["stack", "export", "--stack", stack, "--non-interactive"], {
      cwd: dataDir,
      extendEnv: false,
      reject: false,
      env: {
        PATH: process.env.PATH,
        HOME: pulumiHome,
        PULUMI_HOME: pulumiHome,
        PULUMI_BACKEND_URL: `file://${state}`,
        PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
        PULUMI_SKIP_UPDATE_CHECK: "true",
      },
    });
    const isThere = await readFile(join(folder, file), "utf8").then(
      () => true,
      () => false,
    );
    if (failed && isThere) broken.push(`pulumi cannot read ${file}: ${stderr}`);
  }
  return broken;
}
