import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { StacklingError } from "../../../components/errors.ts";
import type { PreviewView } from "../../api/preview-view.ts";
import { defaultLimits } from "../../config/defaults.ts";
import { detectInRepository } from "../../config/detect.ts";
import { uncommittedFiles } from "../../config/source-tree.ts";
import { findGitDir, runGit } from "../../git.ts";
import { WrongUse } from "../../wrong-use.ts";
import type { Client } from "../client.ts";
import { type CliContext, dataDirOf, findService, portOf } from "../context.ts";
import { inForeground, untilAborted } from "../foreground.ts";
import { textOption, timeoutOption } from "../options.ts";
import { printLine } from "../output.ts";
import { needEngine, startInForeground } from "../start-embedded.ts";
import type { RunVerb, VerbCall } from "../verb.ts";
import { waitUntilReady } from "../waiting.ts";

export const up: RunVerb = async (call) => {
  const { args, options, context } = call;
  const [given = ""] = args;
  const ref = textOption(options.ref);
  const folder = resolve(context.directory, given);
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const wish = isFolder ? await prepare(folder, ref, context) : { path: given, ...(ref ? { ref } : {}) };
  const client = await findService(options, context);
  if (client) return bringUp(client, wish, call);
  if (!isFolder)
    throw new WrongUse(`bringing up "${given}": there is no such folder, and no service is running that might know it`);
  return upInForeground(wish, call);
};

interface Wish {
  readonly path: string;
  readonly ref?: string;
  /** What the ref is now, where this machine knows. */
  readonly commit?: string;
}

/** Until the wish is taken up the preview still shows how it was: gone, stalled, or on an older commit. */
function servesWish(
  now: PreviewView,
  { before, commit }: { readonly before: PreviewView; readonly commit: string | undefined },
): boolean {
  const elsewhere = commit !== undefined && now.headSha !== undefined && now.headSha !== commit;
  if (now.stage === "Gone" || elsewhere) return false;
  if (now.condition === "Stalled") return now.since !== before.since || now.headSha === before.headSha;
  return now.commit === now.headSha;
}

/** Says what was chosen and what is left out, before anything starts. */
async function prepare(path: string, ref: string | undefined, { stderr }: CliContext): Promise<Wish> {
  const gitDir = await findGitDir(path);
  const chosen = ref ?? (await checkedOut(gitDir));
  const commit = await commitOf(gitDir, chosen);
  const detection = await detectInRepository({ path, commit }, defaultLimits);
  if (detection.kind === "missing")
    throw new StacklingError({ reason: "NothingDetected", userMessage: detection.write.trimEnd() });
  for (const sentence of detection.chose) printLine(stderr, sentence);
  if (ref === undefined) await nameUncommitted(gitDir, path, stderr);
  return { path, ref: chosen, commit };
}

async function nameUncommitted(gitDir: string, path: string, stderr: CliContext["stderr"]): Promise<void> {
  const files = await uncommittedFiles(gitDir, path).catch(() => []);
  if (files.length === 0) return;
  printLine(
    stderr,
    `Left out, because not committed: ${files
      .slice(0, 10)
      .map((file) => JSON.stringify(file))
      .join(", ")}`,
  );
  if (files.length > 10) printLine(stderr, `  and ${files.length - 10} more`);
}

/** The git branch that is checked out, else the commit. */
async function checkedOut(gitDir: string): Promise<string> {
  const { exitCode, stdout } = await runGit({
    gitDir,
    args: ["symbolic-ref", "--quiet", "--short", "HEAD"],
    accept: [1],
  });
  return exitCode === 0 ? stdout.toString("utf8").trim() : commitOf(gitDir, "HEAD");
}

async function commitOf(gitDir: string, ref: string): Promise<string> {
  const args = ["rev-parse", "--quiet", "--verify", "--end-of-options", `${ref}^{commit}`];
  const { exitCode, stdout } = await runGit({ gitDir, args, accept: [1, 128] });
  const commit = stdout.toString("utf8").trim().split("\n").at(-1) ?? "";
  if (exitCode === 0 && commit) return commit;
  throw new WrongUse(
    `bringing up "${ref}": it is no branch, tag or commit of the repository, or there is no commit yet`,
  );
}

async function bringUp(
  client: Client,
  wish: Wish,
  { options, context }: VerbCall,
  signal?: AbortSignal,
): Promise<number> {
  const { commit, ...asked } = wish;
  const before = await client.up(asked);
  return waitUntilReady({
    client,
    key: before.key,
    settled: (now) => servesWish(now, { before, commit }),
    timeoutMs: timeoutOption(options.timeout),
    json: options.json === true,
    context,
    ...(signal ? { signal } : {}),
  });
}

/** Like a development server: everything ends with Ctrl-C, and the next start has it again. */
async function upInForeground(wish: Wish, call: VerbCall): Promise<number> {
  const { options, context } = call;
  const port = portOf(options, context);
  await needEngine(context);
  return inForeground(context, {
    start: () =>
      startInForeground(
        { dataDir: dataDirOf(options, context), ...(port === undefined ? {} : { port }), quiet: options.json === true },
        context,
      ),
    stop: ({ instance }) => instance.stop(),
    work: async ({ client }, signal) => {
      const code = await bringUp(client, wish, call, signal);
      if (code !== 0) return code;
      if (!options.json) printLine(context.stderr, "Ctrl-C ends it");
      await untilAborted(signal);
      return 0;
    },
  });
}
