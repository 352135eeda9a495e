/** Process of an engine peer, see engine-peer.ts: told its settings first, then one piece of work after the other. */
import { mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Server, ServerCredentials, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { type Output, output } from "@pulumi/pulumi";
import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb.js";
import { execa } from "execa";
import { startProvider } from "../components/local/provider.ts";
import { registry } from "../components/registry.ts";
import { PROJECT } from "../infra/names.ts";
import { loadDrivers, type Program, previewProgram } from "../infra/program.ts";
import type { PreviewSpec } from "../infra/spec.ts";
import type { PeerAnswer, PeerSettings, PeerWork, Way } from "./engine-peer.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const LINK_EVERY_MS = 10;
const LINK_PATIENCE_MS = 30_000;

interface Peer {
  readonly settings: PeerSettings;
  readonly environment: Readonly<Record<string, string>>;
  /** Has the project's file. */
  readonly workDir: string;
}

/** The inline server of the Automation API; its module exports it and its types leave it out. */
const { LanguageServer } = createRequire(import.meta.url)("@pulumi/pulumi/automation/server.js") as {
  LanguageServer: new (program: Program) => UntypedServiceImplementation;
};

let peer: Peer | undefined;
process.on("message", (message: PeerSettings | PeerWork) => void receive(message));
process.once("disconnect", () => process.exit(0));

async function receive(message: PeerSettings | PeerWork): Promise<void> {
  let answer: PeerAnswer;
  try {
    if ("engine" in message) peer = await prepare(message);
    answer = { ms: "engine" in message || !peer ? 0 : await perform(peer, message) };
  } catch (error) {
    answer = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  process.send?.(answer);
}

async function prepare(settings: PeerSettings): Promise<Peer> {
  const { dataDir, adminUrl, engine } = settings;
  const provider = await startProvider({ dataDir, adminUrl }, { currentFence: () => undefined });
  const workDir = await mkdtemp(join(dataDir, "peer-"));
  // The Automation API as documented looks for `pulumi` on PATH.
  const bin = join(workDir, "bin");
  await mkdir(bin);
  await symlink(engine, join(bin, "pulumi"));
  await writeFile(join(workDir, "Pulumi.yaml"), `name: ${PROJECT}\nruntime: nodejs\n`);
  const environment = {
    ...settings.environment,
    PATH: `${bin}:${settings.environment.PATH}`,
    PULUMI_DEBUG_PROVIDERS: `stackling:${provider.port}`,
  };
  Object.assign(process.env, environment);
  return { settings, environment, workDir };
}

async function perform(peer: Peer, work: PeerWork): Promise<number> {
  if (work.kind === "destroy") {
    const began = performance.now();
    await pulumi(peer, ["destroy", "--yes", "--skip-preview", "--remove", "--stack", work.stack]);
    return performance.now() - began;
  }
  let addresses: Readonly<Record<string, string>> = {};
  const inner = previewProgram(work.spec, await loadDrivers(registry, work.spec.target), {});
  const program: Program = async () => {
    const outputs = await inner();
    output(outputs.addresses as Output<Readonly<Record<string, string>>>).apply((known) => {
      addresses = known;
    });
    return outputs;
  };
  const run = await ways[work.way](peer, { ...work, program });
  const began = performance.now();
  await run();
  const address = Object.values(addresses)[0];
  if (address !== undefined) await untilAnswers(address, work.spec.source.commit);
  return performance.now() - began;
}

interface Up {
  readonly spec: PreviewSpec;
  readonly isNew: boolean;
  readonly program: Program;
}

/** Each makes ready what may be ready before, and returns what is timed. */
const ways: Readonly<Record<Way, (peer: Peer, up: Up) => Promise<() => Promise<void>>>> = {
  bare: async (peer, { spec, isNew, program }) => {
    const server = new Server();
    server.addService(LanguageRuntimeService, new LanguageServer(program));
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    return async () => {
      if (isNew) await pulumi(peer, ["stack", "init", spec.stack]);
      const inline = [`--client=127.0.0.1:${port}`, "--exec-kind", "auto.inline"];
      await pulumi(peer, ["up", "--yes", "--skip-preview", "--stack", spec.stack, ...inline]);
      server.forceShutdown();
    };
  },
  documented:
    async (_peer, { spec, program }) =>
    async () => {
      const stack = await LocalWorkspace.createOrSelectStack({
        stackName: spec.stack,
        projectName: PROJECT,
        program,
      });
      await stack.up();
    },
  cli: async (peer, { spec, isNew }) => {
    const file = join(peer.workDir, `${spec.stack}.json`);
    await writeFile(file, JSON.stringify(spec), { mode: 0o600 });
    const own = ["--stack", spec.stack, "--config-file", join(peer.workDir, `${spec.stack}.yaml`), "--cwd", ROOT];
    return async () => {
      if (isNew) await pulumi(peer, ["stack", "init", spec.stack, "--no-select"]);
      await pulumi(peer, ["up", "--yes", "--skip-preview", ...own], { STACKLING_SPEC: file });
    };
  },
};

async function pulumi(
  { settings, environment, workDir }: Peer,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  await execa(settings.engine, [...args, "--non-interactive"], {
    cwd: workDir,
    env: { ...environment, ...more },
    extendEnv: false,
    stdin: "ignore",
  });
}

async function untilAnswers(address: string, text: string): Promise<void> {
  const deadline = performance.now() + LINK_PATIENCE_MS;
  for (;;) {
    const answer = await fetch(`http://${address}/`).then(
      async (response) => (response.ok ? response.text() : ""),
      () => "",
    );
    if (answer.includes(text)) return;
    if (performance.now() > deadline) throw new Error(`waiting for ${address}: it does not answer with ${text}`);
    await delay(LINK_EVERY_MS);
  }
}
