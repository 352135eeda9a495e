/**
 * Pulumi's language host for Node, as small as one can be: for engines that were built from source, which
 * come without one. It serves `pulumi up` and `preview` of this project's program (`infra/index.ts`).
 *
 * Protocol: pulumi/proto/pulumi/language.proto of Pulumi 3.259; arguments and environment of the program
 * as in sdk/nodejs/cmd/pulumi-language-nodejs. Left out: the pipes of synchronous invokes, which no
 * current provider SDK uses, and the list of required packages: the engine asks for a plugin when the
 * first resource of it is registered.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb.js";
import language from "@pulumi/pulumi/proto/language_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import { version } from "@pulumi/pulumi/version.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";

/** What the program ends with when it has told the person already (@pulumi/pulumi/cmd/run). */
const HAS_TOLD = 32;
const LOOK_FOR_ENGINE_MS = 1_000;

function main(engineAddress: string): void {
  const programs = new Set<ChildProcess>();
  const end = () => {
    for (const program of programs) program.kill("SIGINT");
  };
  const methods: UntypedServiceImplementation = {
    handshake: answer(async () => new language.LanguageHandshakeResponse()),
    getPluginInfo: answer(async () => new plugin.PluginInfo().setVersion(version)),
    getRequiredPackages: answer(async () => new language.GetRequiredPackagesResponse()),
    about: answer(async () => new language.AboutResponse().setExecutable(process.execPath).setVersion(process.version)),
    run: answer((request: language.RunRequest) => run(request, engineAddress, programs)),
    cancel: answer(async () => {
      end();
      return new emptyProto.Empty();
    }),
  };
  const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  server.addService(LanguageRuntimeService, methods);
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    // The protocol of Pulumi plugins: the port is the first line of standard output.
    process.stdout.write(`${port}\n`);
  });
  endWithEngine(end);
}

/** Resolves when the program has ended, with what is left to tell. */
async function run(
  request: language.RunRequest,
  engineAddress: string,
  programs: Set<ChildProcess>,
): Promise<language.RunResponse> {
  const folder = realpathSync(request.getInfo()?.getProgramDirectory() ?? request.getPwd());
  // The program's own SDK: settings live in the copy that it imports.
  const runner = createRequire(join(folder, "package.json")).resolve("@pulumi/pulumi/cmd/run");
  const program = spawn(process.execPath, [runner, ...programArguments(request, folder, engineAddress)], {
    cwd: folder,
    env: { ...process.env, ...configVariables(request) },
    stdio: ["ignore", "inherit", "inherit"],
  });
  programs.add(program);
  const outcome = await new Promise<number | string>((resolve) => {
    program.once("error", (error) => resolve(error.message));
    program.once("close", (code, signal) => resolve(code ?? signal ?? ""));
  });
  programs.delete(program);
  const response = new language.RunResponse();
  if (outcome === HAS_TOLD) return response.setBail(true);
  return outcome === 0 ? response : response.setError(`the program ended with ${outcome}`);
}

function programArguments(request: language.RunRequest, folder: string, engineAddress: string): string[] {
  const flags = {
    monitor: request.getMonitorAddress(),
    engine: engineAddress,
    organization: request.getOrganization(),
    project: request.getProject(),
    "root-directory": request.getInfo()?.getRootDirectory() ?? "",
    stack: request.getStack(),
    pwd: folder,
    parallel: String(request.getParallel()),
  };
  const given = Object.entries(flags).flatMap(([name, value]) => (value === "" ? [] : [`--${name}`, value]));
  const entry = request.getInfo()?.getEntryPoint() ?? request.getProgram();
  return [...given, ...(request.getDryrun() ? ["--dry-run"] : []), entry, ...request.getArgsList()];
}

/** Keys as older SDKs want them too: `stackling:spec` → `stackling:config:spec`. */
function configVariables(request: language.RunRequest): Record<string, string> {
  const entries = request.getConfigMap().getEntryList();
  const config = entries.map(([key, value]) => [key.replace(/^([^:]+):(?!config:)/, "$1:config:"), value] as const);
  return {
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(config)),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
  };
}

/** An engine that was killed says no goodbye. */
function endWithEngine(end: () => void): void {
  const leave = () => {
    end();
    process.exit(0);
  };
  const engine = process.ppid;
  setInterval(() => {
    if (process.ppid !== engine) leave();
  }, LOOK_FOR_ENGINE_MS);
  process.on("SIGTERM", leave);
  // Ctrl-C reaches the whole foreground group; the engine decides what happens then and says `cancel`.
  process.on("SIGINT", () => {});
}

function answer<Q, A>(handle: (request: Q) => Promise<A>) {
  return (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>): void => {
    handle(call.request).then(
      (response) => callback(null, response),
      (error: Error) => callback({ code: status.UNKNOWN, details: error.message }),
    );
  };
}

main(process.argv.slice(2).find((argument) => !argument.startsWith("-")) ?? "");
