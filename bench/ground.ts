/** The ground of the engine's lines: our service with the smallest application, and bare engines beside it. */
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { removePreviewFolder } from "../components/local/folder.ts";
import { layout } from "../components/local/layout.ts";
import { folderBackend } from "../infra/backend.ts";
import { type Engine, locateEngine } from "../infra/engine.ts";
import { engineVariables } from "../infra/engine-variables.ts";
import { type PreviewSpec, previewSpec } from "../infra/spec.ts";
import { stopLeftovers } from "../service/embedded/leftovers.ts";
import { type Instance, prepareInstance } from "../test/e2e/support/instance.ts";
import { tinyApp } from "../test/e2e/support/tiny-app.ts";
import { createRepository, type TestRepository } from "../test/support/git-repository.ts";
import { type EnginePeer, startEnginePeer } from "./engine-peer.ts";

/** Engines at once, for both sides; the config's default. */
export const ENGINES = 2;
const PATIENCE_MS = 120_000;

export interface Ground {
  readonly engine: Engine;
  readonly instance: Instance;
  /** Bare engines, as many as ours runs at once. */
  readonly peers: readonly EnginePeer[];
  /** Opens so many local pull requests at once, and waits until every link answers with its commit. */
  open(count: number, pollMs: number): Promise<Opened>;
  /** Closes them and waits until they are gone. */
  close(opened: Opened): Promise<void>;
  /** The spec of our first preview, for a stack of the peers that nobody has had yet. */
  peerSpec(): PreviewSpec;
  readonly storeUrl: string;
  end(): Promise<void>;
}

export interface Opened {
  /** From the first ref's update until the last link answered. */
  readonly ms: number;
  readonly keys: readonly string[];
  readonly branches: readonly string[];
}

/** Started, and warm on both sides: one preview was made by each. */
export async function prepareGround(signal: AbortSignal): Promise<Ground> {
  const undo: (() => Promise<unknown>)[] = [];
  const end = async () => {
    for (const step of undo.toReversed()) await step().catch((error: unknown) => console.error(error));
    undo.length = 0;
  };
  try {
    return await build(signal, undo, end);
  } catch (error) {
    await end();
    throw error;
  }
}

async function build(signal: AbortSignal, undo: (() => Promise<unknown>)[], end: () => Promise<void>): Promise<Ground> {
  const engine = await locateEngine();
  const repository = await createRepository({ files: tinyApp({ text: "main" }) });
  undo.push(() => repository.remove());
  const instance = await prepareInstance({
    config: (port) =>
      `port: ${port}\nrepositories:\n  - { path: ${repository.path}, name: bench }\nlimits: { engineRuns: ${ENGINES} }\n`,
  });
  undo.push(() => removeInstance(instance));
  await instance.start();
  const opener = createOpener({ repository, instance, signal });
  await opener.open(1, 20);
  const first = await specOf(instance.dataDir, "bench-pr-1");

  const dataDir = await mkdtemp(join(tmpdir(), "stackling-bare-"));
  await chmod(dataDir, 0o711);
  const stacks: string[] = [];
  undo.push(async () => {
    for (const stack of stacks) await removePreviewFolder(dataDir, stack);
    await rm(dataDir, { recursive: true, force: true });
  });
  const peers = await startPeers({ engine, instance, dataDir, undo });
  const peerSpec = () => {
    const stack = `bare-${stacks.length + 1}`;
    stacks.push(stack);
    const text = JSON.stringify({ ...first, stack }).replaceAll(instance.dataDir, dataDir);
    return previewSpec.parse(JSON.parse(text));
  };
  for (const peer of peers) await peer.run({ kind: "up", way: "bare", isNew: true, spec: peerSpec() });
  const storeUrl = await urlOfServer(join(layout(instance.dataDir).postgres, "store"));
  return { engine, instance, peers, ...opener, peerSpec, storeUrl, end };
}

/** They share the previews' Postgres server with our side, and nothing else. */
async function startPeers(ground: {
  readonly engine: Engine;
  readonly instance: Instance;
  readonly dataDir: string;
  readonly undo: (() => Promise<unknown>)[];
}): Promise<EnginePeer[]> {
  const { engine, instance, dataDir, undo } = ground;
  const own = layout(dataDir);
  const adminUrl = (await readFile(layout(instance.dataDir).previewsUrl, "utf8")).trim();
  await mkdir(dirname(own.previewsUrl), { recursive: true });
  await writeFile(own.previewsUrl, `${adminUrl}\n`, { mode: 0o600 });
  await writeFile(own.passphrase, "bench", { mode: 0o600 });
  for (const folder of [own.state, own.pulumiHome]) await mkdir(folder, { recursive: true });
  const { PATH = "/usr/bin:/bin" } = process.env;
  const environment = {
    PATH,
    HOME: own.pulumiHome,
    PULUMI_HOME: own.pulumiHome,
    LANG: "C.UTF-8",
    ...engineVariables({ backendUrl: `file://${own.state}`, passphraseFile: own.passphrase }),
  };
  const peers: EnginePeer[] = [];
  for (let index = 0; index < ENGINES; index++) {
    const peer = await startEnginePeer({ engine: engine.command, dataDir, adminUrl, environment });
    undo.push(() => peer.end());
    peers.push(peer);
  }
  return peers;
}

function createOpener(ground: {
  readonly repository: TestRepository;
  readonly instance: Instance;
  readonly signal: AbortSignal;
}): Pick<Ground, "open" | "close"> {
  const { repository, instance, signal } = ground;
  let numbers = 0;
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  aborted.catch(() => {});
  const waitFor: Instance["waitFor"] = (...wish) => Promise.race([instance.waitFor(...wish), aborted]);

  async function open(count: number, pollMs: number): Promise<Opened> {
    const refs: { branch: string; sha: string; file: string }[] = [];
    for (let index = 0; index < count; index++) {
      const branch = `change-${numbers + index + 1}`;
      const sha = await repository.git("commit-tree", "main^{tree}", "-p", "main", "-m", branch);
      const file = join(repository.path, ".git", "refs", "heads", branch);
      await writeFile(`${file}.lock`, `${sha}\n`);
      refs.push({ branch, sha, file });
    }
    const began = performance.now();
    // As git updates a ref, but without the milliseconds of its process.
    await Promise.all(refs.map(({ file }) => rename(`${file}.lock`, file)));
    const first = numbers + 1;
    numbers += count;
    const awaited = new Set(refs.map(({ sha }) => sha));
    const links = refs.map((_, index) => `http://pr-${first + index}-bench.localhost:${instance.port}`);
    // Numbers are given by the commit's time and name, so a link may be of any of them.
    await Promise.all(links.map((link) => answers(link, awaited, pollMs)));
    const ms = performance.now() - began;
    const keys = links.map((_, index) => `bench#${first + index}`);
    for (const key of keys) await waitFor(key, ({ reason }) => reason === "Healthy", "settled");
    return { ms, keys, branches: refs.map(({ branch }) => branch) };
  }

  async function answers(link: string, commits: ReadonlySet<string>, pollMs: number): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const { status, text } = await instance.get(link);
      if (status === 200 && commits.has(/\b[0-9a-f]{40}\b/.exec(text)?.[0] ?? "")) return;
      if (performance.now() > deadline) throw new Error(`waiting for ${link}: it does not answer`);
      await delay(pollMs, undefined, { signal });
    }
  }

  return {
    open,
    async close({ keys, branches }) {
      for (const branch of branches) await repository.deleteBranch(branch);
      for (const key of keys) await waitFor(key, ({ stage }) => stage === "Gone", "gone");
    },
  };
}

async function specOf(dataDir: string, stack: string): Promise<PreviewSpec> {
  const checkpoint = await folderBackend(`file://${layout(dataDir).state}`)?.checkpoint(stack);
  return previewSpec.parse(checkpoint?.outputs.spec);
}

/** Superuser's URL of an embedded server, also while nobody but the server lives. */
export async function urlOfServer(dir: string): Promise<string> {
  const [password, port] = await Promise.all(
    ["password", "port"].map(async (name) => (await readFile(join(dir, name), "utf8")).trim()),
  );
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
}

/** Also when Ctrl-C has ended the service before us: its previews and servers live on without it. */
export async function removeInstance(instance: Instance): Promise<void> {
  await instance.stop();
  await stopLeftovers(instance.dataDir).catch(() => []);
  await instance.remove();
}
