/**
 * The local provider: Pulumi's provider protocol over gRPC, answered by the resources of resources.ts.
 *
 * It speaks the protocol directly and not through `@pulumi/pulumi/provider`, whose server hides
 * cancellation from running operations, installs process-wide error handlers and hands secrets over
 * wrapped. Secrets are declined in `configure`: the engine then unwraps inputs and marks the outputs
 * of the same name secret again.
 */
import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import pluginProto from "@pulumi/pulumi/proto/plugin_pb.js";
import { type IResourceProviderServer, ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import structProto, { type JavaScriptValue, type Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { encodeForEngine, StacklingError } from "../errors.ts";
import { createEngineLog } from "./engine-log.ts";
import { admitFence, highestFence } from "./fence.ts";
import { prepareDataDir } from "./layout.ts";
import type { LocalDiff, LocalSettings, ResourceContext } from "./resource.ts";
import { type AnyResource, findResource, type Json } from "./resources.ts";
import { userOfPeer } from "./sockets.ts";

export interface ProviderDeps {
  /**
   * Number of the lease under which this run goes on; asked before every side effect. Undefined for
   * a run without a lease (a person's CLI), which ends when a later holder appears.
   */
  readonly currentFence: (stack: string) => number | undefined;
  /** Told what programs print while they run; redacted. */
  readonly onOutput?: (stack: string, source: string, lines: readonly string[]) => void;
}

export interface RunningProvider {
  /** On 127.0.0.1. */
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Listens on a port of its own, for programs of our own user only: previews can reach it too. One
 * engine at a time: its `configure` starts a run, its `cancel` ends it.
 */
export async function startProvider(settings: LocalSettings, deps: ProviderDeps): Promise<RunningProvider> {
  await prepareDataDir(settings.dataDir);
  const engineLog = createEngineLog();
  const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  const methods = service({ settings, deps, engineLog, run: newRun() });
  server.addService(
    ResourceProviderService,
    forOurselves(methods, () => port),
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    port,
    close: async () => {
      engineLog.close();
      server.forceShutdown();
    },
  };
}

interface Provider {
  readonly settings: LocalSettings;
  readonly deps: ProviderDeps;
  readonly engineLog: ReturnType<typeof createEngineLog>;
  run: Run;
}

/** What is remembered within one engine run. */
interface Run {
  readonly cancel: AbortController;
  /** Fence seen first, by stack, for runs without a lease. */
  readonly firstFences: Map<string, number>;
}

function newRun(): Run {
  return { cancel: new AbortController(), firstFences: new Map() };
}

/** The engine tells a provider no secret that could be asked for, but the kernel knows who calls. */
function forOurselves(methods: UntypedServiceImplementation, port: () => number): UntypedServiceImplementation {
  if (process.platform !== "linux") return methods;
  const guard =
    (method: handleUnaryCall<unknown, unknown>): handleUnaryCall<unknown, unknown> =>
    async (call, callback) => {
      if ((await userOfPeer(call.getPeer(), port())) === process.getuid?.()) return method(call, callback);
      callback({ code: status.PERMISSION_DENIED, details: "calling the local provider: only its own user may" });
    };
  return Object.fromEntries(
    Object.entries(methods).map(([name, method]) => [name, guard(method as handleUnaryCall<unknown, unknown>)]),
  );
}

function service(provider: Provider): UntypedServiceImplementation {
  return {
    getPluginInfo: answer(async () => new pluginProto.PluginInfo().setVersion("0.1.0")),
    attach: answer(async (request: pluginProto.PluginAttach) => {
      provider.engineLog.attach(request.getAddress());
      return new emptyProto.Empty();
    }),
    getSchema: answer(async () => new providerProto.GetSchemaResponse().setSchema("{}")),
    checkConfig: answer(async (request: providerProto.CheckRequest) =>
      new providerProto.CheckResponse().setInputs(request.getNews()),
    ),
    diffConfig: answer(async () => new providerProto.DiffResponse()),
    configure: answer(async () => {
      provider.run = newRun();
      return new providerProto.ConfigureResponse().setAcceptsecrets(false).setAcceptresources(false);
    }),
    check: answer(async (request: providerProto.CheckRequest) => {
      await resourceOf(request.getUrn());
      return new providerProto.CheckResponse().setInputs(request.getNews());
    }),
    diff: answer((request: providerProto.DiffRequest) => diff(provider, request)),
    create: answer((request: providerProto.CreateRequest) => create(provider, request)),
    read: answer((request: providerProto.ReadRequest) => read(provider, request)),
    update: answer((request: providerProto.UpdateRequest) => update(provider, request)),
    delete: answer((request: providerProto.DeleteRequest) => remove(provider, request)),
    cancel: answer(async () => {
      provider.run.cancel.abort();
      return new emptyProto.Empty();
    }),
  } satisfies Partial<IResourceProviderServer>;
}

const MADE_ANEW: LocalDiff = { changes: true, replaces: ["id"] };

async function diff(provider: Provider, request: providerProto.DiffRequest) {
  const resource = await resourceOf(request.getUrn());
  const olds = plainOf(request.getOlds());
  await resource.confirm?.(contextOf(provider, request.getUrn()), request.getId(), olds);
  const difference = resource.diff(olds, plainOf(request.getNews()));
  const isGone = resource.lives && !(await resource.lives(request.getId(), olds));
  const { changes, replaces, deleteBeforeReplace } = isGone ? MADE_ANEW : difference;
  const { DIFF_NONE, DIFF_SOME } = providerProto.DiffResponse.DiffChanges;
  return new providerProto.DiffResponse()
    .setChanges(changes ? DIFF_SOME : DIFF_NONE)
    .setReplacesList([...replaces])
    .setDeletebeforereplace(deleteBeforeReplace ?? false);
}

async function create(provider: Provider, request: providerProto.CreateRequest) {
  const urn = request.getUrn();
  const resource = await resourceOf(urn);
  const context = contextOf(provider, urn);
  await context.admit();
  const { id, state } = await resource.create(context, plainOf(request.getProperties()), nameOf(urn));
  return new providerProto.CreateResponse().setId(id).setProperties(structOf(state));
}

async function read(provider: Provider, request: providerProto.ReadRequest) {
  const resource = await resourceOf(request.getUrn());
  const context = contextOf(provider, request.getUrn());
  const state = await resource.read(context, request.getId(), plainOf(request.getProperties()));
  const response = new providerProto.ReadResponse();
  if (!state) return response;
  return response.setId(request.getId()).setProperties(structOf(state)).setInputs(request.getInputs());
}

async function update(provider: Provider, request: providerProto.UpdateRequest) {
  const resource = await resourceOf(request.getUrn());
  const context = contextOf(provider, request.getUrn());
  const olds = plainOf(request.getOlds());
  const news = plainOf(request.getNews());
  await context.admit();
  const state = resource.update ? await resource.update(context, request.getId(), olds, news) : { ...olds, ...news };
  return new providerProto.UpdateResponse().setProperties(structOf(state));
}

async function remove(provider: Provider, request: providerProto.DeleteRequest) {
  const resource = await resourceOf(request.getUrn());
  const context = contextOf(provider, request.getUrn());
  await context.admit();
  await resource.delete(context, request.getId(), plainOf(request.getProperties()));
  return new emptyProto.Empty();
}

function contextOf(provider: Provider, urn: string): ResourceContext {
  const { settings, deps, run } = provider;
  const stack = stackOf(urn);
  return {
    settings,
    stack,
    signal: run.cancel.signal,
    log: (message) => provider.engineLog.info(urn, message),
    ...(deps.onOutput && { output: (source, lines) => deps.onOutput?.(stack, source, lines) }),
    admit: async () => {
      run.cancel.signal.throwIfAborted();
      await admitFence(settings.dataDir, stack, deps.currentFence(stack) ?? (await firstFence(settings, run, stack)));
    },
  };
}

async function firstFence(settings: LocalSettings, run: Run, stack: string): Promise<number> {
  const first = run.firstFences.get(stack) ?? (await highestFence(settings.dataDir, stack));
  run.firstFences.set(stack, first);
  return first;
}

/** `urn:pulumi:<stack>::<project>::<parent type$>type::<name>` */
function stackOf(urn: string): string {
  return urn.split("::")[0]?.split(":")[2] ?? "";
}

function nameOf(urn: string): string {
  return urn.split("::")[3] ?? "";
}

async function resourceOf(urn: string): Promise<AnyResource> {
  const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
  const resource = await findResource(type);
  if (!resource) throw new Error(`looking up resource type "${type}": the local provider has none of that name`);
  return resource;
}

function plainOf(struct: Struct | undefined): Json {
  return struct?.toJavaScript() ?? {};
}

/** Through JSON, so that absent properties are absent and not an error of the encoder. */
function structOf(value: object): Struct {
  return structProto.Struct.fromJavaScript(JSON.parse(JSON.stringify(value)) as Record<string, JavaScriptValue>);
}

function answer<Q, A>(handle: (request: Q) => Promise<A>) {
  return (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>): void => {
    handle(call.request).then(
      (response) => callback(null, response),
      (error: unknown) => callback({ code: status.UNKNOWN, details: messageOf(error) }),
    );
  };
}

/** gRPC carries text only, so the kind of an error goes along in its last line. */
function messageOf(error: unknown): string {
  // Who holds a lock stays behind here, and is for the log.
  if (error instanceof StacklingError && error.reason === "Locked" && error.cause instanceof Error)
    process.stderr.write(`${error.cause.message}\n`);
  if (error instanceof StacklingError) return encodeForEngine(error);
  return error instanceof Error ? error.message : String(error);
}
