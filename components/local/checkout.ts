/** One commit as a folder that is ready to run: written out, installed, built. */
import { createHash } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { basename, isAbsolute } from "node:path";
import { execa } from "execa";
import PQueue from "p-queue";
import { TerminalError } from "../errors.ts";
import type { BuildStep, SourceDefinition } from "../ports.ts";
import { baseEnvironment, PREVIEW_MARK } from "./environment.ts";
import { prepareGit } from "./git.ts";
import { copyTree, installInCache } from "./install-cache.ts";
import { exists } from "./json-file.ts";
import { inside, layout } from "./layout.ts";
import { rotateLog } from "./log-file.ts";
import { ensureMirror, mirrorHas, requireObjectId } from "./mirror.ts";
import { nodeFolder } from "./node-runtime.ts";
import { unlessRegistryAway } from "./registry-outage.ts";
import { removeTree } from "./remove-tree.ts";
import type { LocalResource, ResourceContext } from "./resource.ts";
import { type CommandRequest, endCommandsOf, runCommand } from "./run-command.ts";
import { allocateUser, builderGroup } from "./users.ts";
import { writeTree } from "./write-tree.ts";

export interface CheckoutInputs {
  /** Of several in a preview; absent: of its own repository. */
  readonly slot?: string;
  readonly source: SourceDefinition;
  /** Non-secret environment for install and build. */
  readonly environment: Readonly<Record<string, string>>;
  /** Raised to check out and build the same commit again. */
  readonly generation: number;
}

export interface CheckoutState extends CheckoutInputs {
  /** Absolute path of the tree. */
  readonly path: string;
}

const BUILD_TIMEOUT_MS = 20 * 60_000;

export const checkoutResource: LocalResource<CheckoutInputs, CheckoutState> = {
  type: "stackling:local:Checkout",
  diff: (state, inputs) => {
    const changes = checkoutId(state) !== checkoutId(inputs);
    return { changes, replaces: changes ? ["source"] : [] };
  },
  async create(context, inputs) {
    requireObjectId(inputs.source.commit);
    const files = filesOf(context, checkoutId(inputs));
    await context.admit();
    await removeLeftovers(context, inputs);
    // Whatever lies here is of no use: half made, or of a state that is gone.
    await removeHalfMade(files);
    try {
      await prepareSource(context, inputs.source);
      await fill(context, inputs, files.folder);
    } catch (error) {
      await removeCheckout(files);
      throw error;
    } finally {
      // The next ones' would come on top of theirs. What cannot be cut now is cut by the next.
      for (const name of ["install", "build"]) await rotateLog(logOf(context, inputs, name)).catch(() => undefined);
    }
    await writeFile(files.complete, "");
    return { id: files.folder, state: { ...inputs, path: files.folder } };
  },
  async confirm(context, id) {
    const { folder, known } = filesOf(context, basename(id));
    if (await exists(folder)) await writeFile(known, "");
  },
  async read(context, id, state) {
    const files = filesOf(context, basename(id));
    if (await exists(files.folder)) return (await exists(files.complete)) ? state : undefined;
    // Killed between tree and marks: the engine forgets it now, and nobody would be asked to delete them.
    await removeMarks(files);
    return undefined;
  },
  delete: (context, id) => removeCheckout(filesOf(context, basename(id))),
};

type CheckoutFiles = ReturnType<typeof filesOf>;

function filesOf({ settings, stack }: ResourceContext, id: string) {
  return layout(settings.dataDir).preview(stack).checkout(id);
}

/** Of each slot its own: several of a preview are made at once. */
function logOf({ settings, stack }: ResourceContext, { slot }: CheckoutInputs, name: string) {
  return layout(settings.dataDir)
    .preview(stack)
    .log(slot === undefined ? name : `${name}-${slot}`);
}

/** The marks go last, so that one half removed is still known for what it was. */
async function removeCheckout(files: CheckoutFiles): Promise<void> {
  await removeTree(files.folder);
  await removeMarks(files);
}

async function removeMarks({ index, complete, known }: CheckoutFiles): Promise<void> {
  for (const file of [index, `${index}.lock`, complete, known]) await rm(file, { force: true });
}

/** Somebody may still build in it. */
async function removeHalfMade(files: CheckoutFiles): Promise<void> {
  if (await exists(files.folder)) await endCommandsOf(files.folder);
  await removeCheckout(files);
}

/**
 * Trees of this stack and slot that no state knows of: left by a run that died between making one and saying so. Those
 * of other slots may be in the making now.
 */
async function removeLeftovers(context: ResourceContext, { slot = "" }: CheckoutInputs): Promise<void> {
  const names = await readdir(layout(context.settings.dataDir).preview(context.stack).checkouts);
  for (const id of new Set(names.map((name) => name.replace(/\..*$/, "")))) {
    if (slotOf(id) !== slot) continue;
    const files = filesOf(context, id);
    if (!(await exists(files.known))) await removeHalfMade(files);
  }
}

/** The service has fetched by now; only a repository on this disk is fetched here, for it needs no credential. */
async function prepareSource(context: ResourceContext, source: SourceDefinition): Promise<void> {
  const { dataDir } = context.settings;
  await prepareGit(dataDir);
  const { repository, commit, submodules, lfs } = source;
  if (isAbsolute(repository)) {
    const request = { dataDir, repository, url: repository, refs: [], commit, environment: {}, submodules, lfs };
    return ensureMirror({ ...request, signal: context.signal });
  }
  if (await mirrorHas(repository, commit, { dataDir, signal: context.signal })) return;
  throw new TerminalError({
    reason: "CheckoutFailed",
    userMessage: `checking out "${repository}": commit ${commit.slice(0, 12)} is not in the mirror`,
  });
}

async function fill(context: ResourceContext, inputs: CheckoutInputs, path: string): Promise<void> {
  const { source, environment } = inputs;
  const { settings, stack, signal } = context;
  const { dataDir } = settings;
  const preview = layout(dataDir).preview(stack);
  const user = await allocateUser(dataDir, stack);
  await mkdir(path, { mode: 0o700 });
  await writeTree({ dataDir, source, path, signal, ...(settings.checkout && { limits: settings.checkout }) });
  const base = { ...environment, ...baseEnvironment({ stack, preview, node: await nodeFolder(dataDir) }) };
  const run = {
    environment: base,
    user,
    ...(user === undefined ? {} : { group: builderGroup(dataDir) }),
    account: { dataDir, stack, resource: "build" },
    timeoutMs: BUILD_TIMEOUT_MS,
    signal,
    secrets: [],
    logFile: logOf(context, inputs, "install"),
    reason: "InstallFailed",
    action: "installing with",
    onLines: linesOf(context, "install"),
  };
  if (source.install.length > 0) context.log("installing");
  const { [PREVIEW_MARK]: _, ...shared } = baseEnvironment({ stack, preview, node: await nodeFolder(dataDir) });
  const staged = { dataDir, checkout: path, steps: source.install, run: { ...run, environment: shared } };
  // Before the tree is handed over: an older release of the preview could change it while we read.
  const installed = source.install.length > 0 ? await installInCache(staged) : undefined;
  if (user !== undefined) await execa("chown", ["-R", "-h", `${user}:${user}`, "--", path]);
  if (installed) await copyTree(installed, path, user);
  else await runSteps(source.install, path, run);
  if (source.build.length > 0) context.log("building");
  const said = { reason: "BuildFailed", action: "building with", onLines: linesOf(context, "build") };
  await runSteps(source.build, path, { ...run, logFile: logOf(context, inputs, "build"), ...said });
}

function linesOf({ output }: ResourceContext, source: "install" | "build"): CommandRequest["onLines"] {
  return output && ((lines) => output(source, lines));
}

async function runSteps(
  steps: readonly BuildStep[],
  path: string,
  run: Omit<CommandRequest, "command" | "directory" | "owner">,
): Promise<void> {
  for (const { command, directory } of steps) {
    const work = () => runCommand({ ...run, command, directory: inside(path, directory), owner: path });
    await (run.group === undefined ? work() : inTurn(run.account.stack, work)).catch((error: unknown) => {
      throw unlessRegistryAway(error);
    });
  }
}

/** By stack. */
const builds = new Map<string, PQueue>();

/**
 * Whatever runs as the preview's builder is ended with the command: of several repositories' commands one at a time.
 * Within this process only: what a frozen or dead run left is not waited for, its builder's processes are ended.
 */
async function inTurn(stack: string, work: () => Promise<void>): Promise<void> {
  const queue = builds.get(stack) ?? new PQueue({ concurrency: 1 });
  builds.set(stack, queue);
  try {
    await queue.add(work);
  } finally {
    if (queue.size === 0 && queue.pending === 0 && builds.get(stack) === queue) builds.delete(stack);
  }
}

/** Fixed by what goes in, so that a run after a kill finds and replaces what the one before left. */
function checkoutId({ slot, source, environment, generation }: CheckoutInputs): string {
  const { commit, submodules, lfs, install, build } = source;
  const identity = JSON.stringify([
    commit,
    source.repository,
    submodules,
    lfs,
    [install, build].map((steps) => steps.map((step) => [step.command, step.directory])),
    Object.entries(environment).sort(([a], [b]) => (a < b ? -1 : 1)),
    generation,
  ]);
  const id = `${commit.slice(0, 12)}-${createHash("sha256").update(identity).digest("hex").slice(0, 8)}`;
  return slot === undefined ? id : `${id}-${slot}`;
}

function slotOf(id: string): string {
  return id.split("-").slice(2).join("-");
}
