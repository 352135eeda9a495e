/** A stack of a plain Pulumi program with a folder, a backend and an engine of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { LocalWorkspace, PulumiCommand, type Stack } from "@pulumi/pulumi/automation/index.js";
import { locateEngine } from "../../../infra/engine.ts";

type Program = () => Promise<Record<string, unknown>>;

export interface OwnStack {
  readonly stack: Stack;
  /** Where its backend's files lie. */
  readonly folder: string;
  /** What the next run works towards. */
  become(program: Program): void;
  remove(): Promise<void>;
}

/** `path` is searched for plugins before this process's own PATH. */
export async function ownStack({ name, path }: { name: string; path: string }): Promise<OwnStack> {
  const folder = await mkdtemp(join(tmpdir(), "stackling-own-stack-"));
  const { command } = await locateEngine();
  let program: Program = async () => ({});
  const stack = await LocalWorkspace.createStack(
    { stackName: name, projectName: "own", program: () => program() },
    {
      pulumiCommand: await PulumiCommand.get({ root: dirname(dirname(command)), skipVersionCheck: true }),
      pulumiHome: join(folder, "home"),
      workDir: folder,
      envVars: {
        PATH: `${path}:${dirname(command)}:${process.env.PATH}`,
        PULUMI_BACKEND_URL: `file://${folder}`,
        PULUMI_CONFIG_PASSPHRASE: "for tests",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      },
    },
  );
  return {
    stack,
    folder,
    become(next) {
      program = next;
      stack.workspace.program = () => program();
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
