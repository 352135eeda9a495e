/**
 * The only importer of the Automation API. It runs one engine process where the API as documented
 * runs five: the stack is not selected, outputs come from the event stream, and neither outputs (twice)
 * nor history are asked for afterwards.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { LocalWorkspace, type OutputMap, PulumiCommand, Stack } from "@pulumi/pulumi/automation/index.js";
import { version } from "@pulumi/pulumi/version.js";
import { withFileContents, withFiles } from "../components/credential.ts";
import { type FolderBackend, folderBackend } from "./backend.ts";
import {
  EngineFailure,
  isStackMissing,
  isStackThere,
  type LockHolder,
  lockedError,
  lockHolders,
  toStacklingError,
} from "./engine-errors.ts";
import { clearEngineLogs } from "./engine-logs.ts";
import { startEngine } from "./engine-process.ts";
import { engineVariables, policyPacks } from "./engine-variables.ts";
import { type EventRecord, recordEvents } from "./event-record.ts";
import { clearDeadRun, refuseForeignLocks } from "./locks.ts";
import { PROJECT } from "./names.ts";
import { createStack } from "./new-stack.ts";
import type { Program } from "./program.ts";
import { makeRunFolder } from "./run-folders.ts";
import type { StackDriverSettings } from "./stack-driver-settings.ts";
import { type RawResource, type StackResource, stackResources } from "./stack-resources.ts";
import type { DestroyResult, DriftReport, RunHooks, UpResult } from "./stacks.ts";

export interface UpInput {
  readonly stack: string;
  readonly program: Program;
  readonly refresh: boolean;
  readonly mayBeNew: boolean;
  /** Kept out of messages. */
  readonly secrets: readonly string[];
}

export interface StackDriver {
  up(input: UpInput, hooks: RunHooks): Promise<UpResult>;
  destroy(stack: string, hooks: RunHooks): Promise<DestroyResult>;
  drift(stack: string, hooks: RunHooks): Promise<DriftReport>;
  list(): Promise<readonly string[]>;
  /** Undefined when there is no stack. */
  outputs(stack: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  resources(stack: string): Promise<readonly StackResource[]>;
}

/** Errors of every method: see `Stacks`. */
export function createStackDriver(settings: StackDriverSettings): StackDriver {
  const folder = folderBackend(settings.backendUrl);
  const wholly: FolderBackend["wholly"] = (stack, work) => (folder ? folder.wholly(stack, work) : work());
  return {
    up: (input, hooks) =>
      withRun(settings, { ...input, action: "updating" }, hooks, async (run) => {
        const began = performance.now();
        const healed = await clearDeadRuns(run);
        const checkpoint = await folder?.checkpoint(input.stack);
        if (folder ? checkpoint === undefined : input.mayBeNew) await initialize(run);
        const refresh = input.refresh || healed;
        await wholly(input.stack, async () => {
          await settlePending(run, folder ? (checkpoint?.pendingOperations ?? 0) > 0 : refresh);
          const options = { onEvent: run.onEvent, ...policyPacks(settings) };
          await insist(run, (again) => run.stack.up({ ...options, refresh: refresh || again }));
        });
        return { outputs: run.outputs(), changes: run.changes(), durationMs: performance.now() - began };
      }),
    destroy: (stack, hooks) =>
      withRun(settings, { stack, action: "destroying", secrets: [] }, hooks, async (run) => {
        const began = performance.now();
        await clearDeadRuns(run);
        const checkpoint = await folder?.checkpoint(stack);
        if (!folder || checkpoint) await wholly(stack, () => destroyAndRemove(run, checkpoint));
        if (folder) await clearFolder(run, folder);
        await clearEngineLogs(settings.pulumiHome, stack);
        return { removed: checkpoint?.urns ?? run.removed(), durationMs: performance.now() - began };
      }),
    drift: (stack, hooks) =>
      withRun(settings, { stack, action: "comparing", secrets: [] }, hooks, async (run) => {
        await clearDeadRuns(run);
        await insist(run, () => run.stack.refresh({ previewOnly: true, onEvent: run.onEvent }));
        return { differences: run.differences() };
      }),
    list: async () => {
      if (folder) return folder.list();
      const summaries = await askCli(settings, (workspace) => workspace.listStacks());
      return summaries.map(({ name }) => name.slice(name.lastIndexOf("/") + 1));
    },
    outputs: async (stack) => {
      if (folder) return (await folder.checkpoint(stack))?.outputs;
      return outputsByCli(settings, stack);
    },
    resources: async (stack) => (folder ? folder.resources(stack) : resourcesByCli(settings, stack)),
  };
}

interface RunTarget {
  readonly stack: string;
  readonly action: string;
  readonly program?: Program;
  readonly secrets: readonly string[];
}

/** One run on one stack: its Automation API stack and what its events have told so far. */
interface Run extends EventRecord {
  readonly settings: StackDriverSettings;
  readonly command: Command;
  readonly stack: Stack;
  readonly hooks: RunHooks;
}

async function withRun<T>(
  settings: StackDriverSettings,
  target: RunTarget,
  hooks: RunHooks,
  work: (run: Run) => Promise<T>,
): Promise<T> {
  const workDir = await makeRunFolder(settings.runsFolder, target.stack).catch((failure: unknown) => {
    throw toStacklingError(failure, { ...target, diagnostics: [] });
  });
  const activity = { touch: () => {} };
  const record = recordEvents(hooks.onEvent, activity);
  try {
    const command = createCommand(settings, { hooks, activity });
    const stack = await openStack(target.stack, await openWorkspace(settings, workDir, command, target.program));
    return await work({ ...record, settings, command, stack, hooks });
  } catch (failure) {
    throw toStacklingError(failure, { ...target, diagnostics: record.errors(), violations: record.violations() });
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

async function openWorkspace(
  settings: StackDriverSettings,
  workDir: string,
  pulumiCommand: PulumiCommand,
  program?: Program,
): Promise<LocalWorkspace> {
  return LocalWorkspace.create({
    workDir,
    pulumiCommand,
    pulumiHome: settings.pulumiHome,
    ...(program && { program }),
    projectSettings: { name: PROJECT, runtime: "nodejs" },
    secretsProvider: settings.secretsProvider ?? "passphrase",
    envVars: engineVariables(settings),
  });
}

async function openStack(name: string, workspace: LocalWorkspace): Promise<Stack> {
  // Every command names its stack, so selecting it, outputs and history would be three processes for nothing.
  workspace.selectStack = async () => {};
  const stack = await Stack.select(name, workspace);
  stack.outputs = async (): Promise<OutputMap> => ({});
  stack.info = async () => undefined;
  return stack;
}

interface Command extends PulumiCommand {
  run(args: readonly string[], cwd: string, variables: Readonly<Record<string, string>>): Promise<unknown>;
}

/**
 * A PulumiCommand whose `run` is ours, because the API's own hides the process: we need its pid before
 * it works and its end in our hands. `run` is internal to the API (automation/cmd.js).
 */
function createCommand(
  settings: StackDriverSettings,
  live: { readonly hooks: RunHooks; readonly activity: { touch(): void } } | undefined,
): Command {
  const run: Command["run"] = async (args, cwd, variables) => {
    const engine = startEngine({
      engine: settings.engine,
      args: [...args, "--non-interactive"],
      cwd,
      environment: { ...(await environmentIn(settings, cwd)), ...variables, PULUMI_AUTOMATION_API: "true" },
      limits: settings.limits,
      interrupt: live?.hooks.interrupt ?? new AbortController().signal,
      record: async (process) => live?.hooks.recordEngine(process),
    });
    if (live) live.activity.touch = engine.touch;
    const exit = await engine.exit;
    if (exit.code !== 0) throw new EngineFailure(args, exit);
    return { stdout: exit.stdout, stderr: exit.stderr, code: exit.code };
  };
  // The engine's own version was checked when it was chosen; the API only asks what it may rely on.
  return Object.assign(Object.create(PulumiCommand.prototype), { command: settings.engine, version, run });
}

async function environmentIn({ environment }: StackDriverSettings, folder: string): Promise<Record<string, string>> {
  return withFiles(await withFileContents(environment), folder);
}

/** A stack that is there already is as good, also behind the lock of a dead run. */
async function initialize(run: Run): Promise<void> {
  const { stack, settings } = run;
  await createStack(settings, stack.name, async () => {
    try {
      await insist(run, () => stack.workspace.createStack(stack.name));
    } catch (failure) {
      if (!isStackThere(failure)) throw failure;
    }
  });
}

/** A create that a kill cut short is forgotten here and adopted by its fixed name in the create that follows. */
async function settlePending(run: Run, pending: boolean): Promise<void> {
  if (!pending) return;
  await insist(run, () => run.stack.refresh({ clearPendingCreates: true, onEvent: run.onEvent }));
}

/** In a folder the stack is empty now and goes with its files; elsewhere the engine removes it. */
async function destroyAndRemove(
  run: Run,
  checkpoint: { readonly urns: readonly string[]; readonly pendingOperations: number } | undefined,
): Promise<void> {
  try {
    await settlePending(run, (checkpoint?.pendingOperations ?? 0) > 0);
    if (checkpoint?.urns.length !== 0) await insist(run, () => run.stack.destroy({ onEvent: run.onEvent }));
    if (!checkpoint) await removeStack(run);
  } catch (failure) {
    if (!isStackMissing(failure)) throw failure;
  }
}

/** With its history and backups, for which the API has no option. */
async function removeStack({ command, stack: { name, workspace } }: Run): Promise<void> {
  await command.run(["stack", "rm", name, "--yes", "--remove-backups"], workspace.workDir, workspace.envVars);
}

/** Never takes a state that still knows a resource, nor one that somebody works on. */
async function clearFolder(run: Run, folder: FolderBackend): Promise<void> {
  await clearDeadRuns(run);
  const left = await folder.checkpoint(run.stack.name);
  if (left && left.urns.length > 0) throw new Error(`removing the stack: it still has "${left.urns.at(-1)}"`);
  await folder.clear(run.stack.name);
}

/** Looks before the engine does, which saves a process that would fail. */
const clearDeadRuns = ({ settings, stack, hooks }: Run) =>
  clearDeadRun(hooks, folderBackend(settings.backendUrl), stack.name);

/** Runs an engine; behind a lock of our own dead run, or before a stack that is not there yet, once more. */
async function insist(run: Run, work: (again: boolean) => Promise<unknown>): Promise<void> {
  try {
    await work(false);
  } catch (failure) {
    const holders = lockHolders(failure);
    if (holders) await breakLocks(run, holders);
    else if (isStackMissing(failure) && run.stack.workspace.program) await initialize(run);
    else throw failure;
    await work(true);
  }
}

async function breakLocks(run: Run, holders: readonly LockHolder[]): Promise<void> {
  if (holders.length === 0) throw lockedError(run.stack.name, holders, Date.now());
  await refuseForeignLocks(run.hooks, run.stack.name, holders);
  if (!(await clearDeadRuns(run))) await run.stack.cancel();
}

async function outputsByCli(
  settings: StackDriverSettings,
  name: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const outputs = await unlessMissing(askCli(settings, (workspace) => workspace.stackOutputs(name)));
  const open = Object.entries(outputs ?? {}).filter(([, { secret }]) => !secret);
  return outputs && Object.fromEntries(open.map(([key, { value }]) => [key, value]));
}

/** Secrets stay encrypted in what is exported. */
async function resourcesByCli(settings: StackDriverSettings, name: string): Promise<readonly StackResource[]> {
  const state = await unlessMissing(askCli(settings, (workspace) => workspace.exportStack(name)));
  return stackResources((state?.deployment as { readonly resources?: readonly RawResource[] } | undefined)?.resources);
}

/** Undefined where there is no such stack. */
function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  return asked.catch((failure: unknown) => {
    if (isStackMissing(failure)) return undefined;
    throw failure;
  });
}

async function askCli<T>(settings: StackDriverSettings, ask: (workspace: LocalWorkspace) => Promise<T>): Promise<T> {
  await mkdir(settings.runsFolder, { recursive: true, mode: 0o700 });
  const workDir = await mkdtemp(join(settings.runsFolder, "ask-"));
  try {
    return await ask(await openWorkspace(settings, workDir, createCommand(settings, undefined)));
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}
