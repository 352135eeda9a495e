/**
 * `npm test`: lint, format, types and every test file, each file a process of its own. Arguments
 * choose files or folders and leave the checks out: `npm test -- test/infra`. `npm run test:kubernetes` and
 * `npm run test:gitea` come here with the folders of those suites.
 */
import { existsSync } from "node:fs";
import { glob, mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import PQueue from "p-queue";
import type { Kubelab } from "../test/support/kubernetes/kubelab.ts";
import { checks, runCheck } from "./checks.ts";
import { type FileResult, runTestFile } from "./test-file.ts";
import { readAllowedSkips, TestReport } from "./test-report.ts";

/** Suites that need a world of their own and have commands of their own. */
const otherSuites = { kubernetes: "test/kubernetes/", gitea: "test/gitea/" };
/** A file takes four minutes at most on two quiet cores; what is past this hangs. */
const limits = { timeoutMs: 12 * 60_000, graceMs: 10_000 };
/** A cluster takes its time to make and to forget. */
const otherSuitesTimeoutMs = 15 * 60_000;

const root = fileURLToPath(new URL("..", import.meta.url));
const postgresSupport = new URL("../test/support/postgres.ts", import.meta.url);
const giteaSupport = new URL("../test/support/gitea/gitealab.ts", import.meta.url);
const kubelabSupport = new URL("../test/support/kubernetes/kubelab.ts", import.meta.url);
process.exitCode = await main(process.argv.slice(2));

async function main(chosen: readonly string[]): Promise<number> {
  const files = await testFiles(chosen);
  if (files.length === 0) {
    console.error(`no test file is in ${chosen.map((path) => `"${path}"`).join(", ") || "test/"}`);
    return 2;
  }
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());
  const scratch = await mkdtemp(join(tmpdir(), "stackling-test-"));
  const report = new TestReport({
    allowedSkips: readAllowedSkips(await readFile(join(root, "test/support/allowed-skips"), "utf8")),
    write: (text) => process.stdout.write(text),
  });
  try {
    await buildGitea(files);
    const postgres = await startPostgres(files);
    const kubelab = await startKubelab(files);
    try {
      const env = {
        ...process.env,
        ...(postgres && { STACKLING_TEST_POSTGRES: postgres.url }),
        ...(kubelab && { STACKLING_TEST_KUBELAB: JSON.stringify(kubelab) }),
      };
      const jobs: (() => Promise<FileResult>)[] = [
        ...(chosen.length === 0 ? checks.map((check) => () => runCheck(check, root)) : []),
        ...files.map((file) => () => runTestFile({ file, root, scratch, ...limitsOf(file), env, signal: stop.signal })),
      ];
      const queue = new PQueue({ concurrency: Math.min(availableParallelism(), 4) });
      await Promise.all(
        jobs.map((job) =>
          queue.add(async () => {
            if (!stop.signal.aborted) report.add(await job());
          }),
        ),
      );
    } finally {
      await kubelab?.stop();
      await postgres?.stop();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  report.end({ interrupted: stop.signal.aborted });
  return report.failed > 0 || stop.signal.aborted ? 1 : 0;
}

async function testFiles(chosen: readonly string[]): Promise<readonly string[]> {
  const wanted = chosen.map((path) => relative(root, resolve(path)));
  const found: string[] = [];
  for await (const file of glob("test/**/*.test.ts", { cwd: root, exclude: (name) => name === "node_modules" })) {
    const named = wanted.some((path) => file === path || file.startsWith(`${path}/`) || path === "");
    if (named || (wanted.length === 0 && !isOther(file))) found.push(file);
  }
  // The long ones first, so that the last core is not left with one of them.
  return found.sort((a, b) => Number(isLong(b)) - Number(isLong(a)) || a.localeCompare(b));
}

function limitsOf(file: string): typeof limits {
  return isOther(file) ? { ...limits, timeoutMs: otherSuitesTimeoutMs } : limits;
}

function isOther(file: string): boolean {
  return Object.values(otherSuites).some((suite) => file.startsWith(suite));
}

function isLong(file: string): boolean {
  return file.startsWith("test/e2e/");
}

/** One server for all files, each of which makes a database of its own on it. */
async function startPostgres(files: readonly string[]): Promise<{ url: string; stop(): Promise<void> } | undefined> {
  if (process.env.STACKLING_TEST_POSTGRES || !existsSync(postgresSupport)) return undefined;
  if (!(await anyUsesPostgres(files))) return undefined;
  const { startTestPostgres } = await import("../test/support/postgres.ts");
  try {
    return await startTestPostgres();
  } catch (error) {
    console.error(`starting Postgres for the tests: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

/** Before any file's time runs; where it cannot be built, its tests are skipped and say why. */
async function buildGitea(files: readonly string[]): Promise<void> {
  if (!existsSync(giteaSupport) || !files.some((file) => file.startsWith(otherSuites.gitea))) return;
  const { ensureGitea, giteaFault, giteaVersion } = await import("../test/support/gitea/gitealab.ts");
  if (giteaFault() !== undefined) return;
  try {
    await ensureGitea();
    console.log(`Gitea ${giteaVersion}`);
  } catch (error) {
    // Its tests fail with the same words.
    console.error(error instanceof Error ? error.message : error);
  }
}

/** One control plane for all files that need one; where it cannot be built, they are skipped and say why. */
async function startKubelab(files: readonly string[]): Promise<Kubelab | undefined> {
  const isKubernetes = (file: string) => file.startsWith(otherSuites.kubernetes);
  if (!existsSync(kubelabSupport) || !files.some(isKubernetes)) return undefined;
  const { kubelabFault, startKubelab: start } = await import("../test/support/kubernetes/kubelab.ts");
  if (kubelabFault() !== undefined) return undefined;
  const { downloadKubernetesPlugin, kubernetesPlugin } = await import("../test/support/kubernetes/plugin.ts");
  await downloadKubernetesPlugin();
  const plugin = await kubernetesPlugin();
  console.log(plugin.words);
  await plugin.remove();
  const startedAt = performance.now();
  const kubelab = await start();
  console.log(
    `Kubernetes ${kubelab.version} at ${kubelab.server} after ${Math.round(performance.now() - startedAt)} ms`,
  );
  return kubelab;
}

async function anyUsesPostgres(files: readonly string[]): Promise<boolean> {
  for (const file of files) {
    if ((await readFile(join(root, file), "utf8")).includes("support/postgres")) return true;
  }
  return files.some(isLong);
}
