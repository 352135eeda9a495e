/**
 * Stands in for the plugin behind `@pulumi/kubernetes` where that can neither be found nor downloaded:
 * enough of its protocol for objects with fixed names, by server-side apply on a real API server.
 *
 * Where it matters it behaves as the plugin 4.34 does (pulumi/pulumi-kubernetes, provider/pkg): never
 * takes over what exists unless `upsertExistingObjects` says so, gives way to other field managers
 * unless `enablePatchForce` does, replaces config maps and secrets unless they were said to be mutable,
 * deletes in the foreground and waits until the object is gone, unless `pulumi.com/skipAwait` says
 * otherwise. It waits for nothing else.
 */
import { connect } from "node:net";
import process from "node:process";
import { isDeepStrictEqual } from "node:util";
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { ApiException, KubeConfig, KubernetesObjectApi, PatchStrategy } from "@kubernetes/client-node";
import pluginProto from "@pulumi/pulumi/proto/plugin_pb.js";
import { type IResourceProviderServer, ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import structProto, { type JavaScriptValue, type Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { merge, observe } from "./projection.ts";

type Json = { readonly [key: string]: JavaScriptValue };
interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid?: string };
  readonly [field: string]: unknown;
}

const fieldManager = "pulumi-kubernetes";
const pollMs = 100;
const engineLookMs = 1_000;
const answerTimeoutMs = 20_000;

/** Paths that the API server does not let change, as the plugin lists them; below `metadata` for every kind. */
const fixedFields: Readonly<Record<string, readonly string[]>> = {
  Deployment: ["spec.selector"],
  Job: ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"],
  ResourceQuota: ["spec.scopes"],
  RoleBinding: ["roleRef"],
  Secret: ["type"],
  Service: ["spec.clusterIP"],
};

/** Kinds whose end is not waited for with `pulumi.com/skipAwait`. */
const unawaited = new Set(["Namespace", "Pod", "Deployment", "DaemonSet", "StatefulSet", "Job"]);

interface Session {
  readonly cancel: AbortController;
  readonly config: ReadonlyMap<string, string>;
  readonly api: () => KubernetesObjectApi;
}

let session = sessionWith(new Map());

function sessionWith(config: ReadonlyMap<string, string>): Session {
  let api: KubernetesObjectApi | undefined;
  const connect = () => {
    const kubeconfig = new KubeConfig();
    const given = config.get("kubeconfig") ?? process.env.KUBECONFIG ?? "";
    if (given === "") throw new Error("configuring the Kubernetes provider: no kubeconfig was given");
    if (given.startsWith("/")) kubeconfig.loadFromFile(given);
    else kubeconfig.loadFromString(given);
    const context = config.get("context");
    if (context) kubeconfig.setCurrentContext(context);
    return KubernetesObjectApi.makeApiClient(kubeconfig);
  };
  return { cancel: new AbortController(), config, api: () => (api ??= connect()) };
}

function isOn(option: string): boolean {
  return session.config.get(option) === "true";
}

const service = {
  getPluginInfo: answer(async () => new pluginProto.PluginInfo().setVersion("4.34.2")),
  attach: answer(async () => new emptyProto.Empty()),
  getSchema: answer(async () => new providerProto.GetSchemaResponse().setSchema("{}")),
  checkConfig: answer(async (request: providerProto.CheckRequest) =>
    new providerProto.CheckResponse().setInputs(request.getNews()),
  ),
  diffConfig: answer(async (request: providerProto.DiffRequest) =>
    differences(isDeepStrictEqual(plainOf(request.getOldInputs()), plainOf(request.getNews())) ? [] : ["kubeconfig"]),
  ),
  configure: answer(async (request: providerProto.ConfigureRequest) => {
    const prefix = "kubernetes:config:";
    session = sessionWith(
      new Map([...request.getVariablesMap().entries()].map(([name, value]) => [name.replace(prefix, ""), value])),
    );
    return new providerProto.ConfigureResponse().setAcceptsecrets(false).setAcceptresources(false);
  }),
  check: answer(async (request: providerProto.CheckRequest) => {
    if (!objectOf(request.getNews()).metadata?.name)
      throw new Error(`checking "${request.getUrn()}": this stand-in makes up no names, give it metadata.name`);
    return new providerProto.CheckResponse().setInputs(request.getNews());
  }),
  diff: answer(diff),
  create: answer(create),
  read: answer(read),
  update: answer(async (request: providerProto.UpdateRequest) => {
    const news = objectOf(request.getNews());
    return new providerProto.UpdateResponse().setProperties(structOf(observe(news, await apply(news))));
  }),
  delete: answer(remove),
  cancel: answer(async () => {
    session.cancel.abort(new Error("the engine cancelled it"));
    return new emptyProto.Empty();
  }),
} satisfies Partial<IResourceProviderServer>;

async function diff(request: providerProto.DiffRequest): Promise<providerProto.DiffResponse> {
  const [olds, news] = [objectOf(request.getOldInputs()), objectOf(request.getNews())];
  const changed = leaves(olds, news);
  const fixed = ["kind", "apiVersion", "metadata.name", "metadata.namespace", ...(fixedFields[news.kind] ?? [])];
  if (news.kind === "Secret" && !isOn("enableSecretMutable")) fixed.push("data", "stringData");
  if (news.kind === "ConfigMap" && !isOn("enableConfigMapMutable")) fixed.push("data", "binaryData");
  const replaced = changed.filter((path) => fixed.some((one) => path === one || path.startsWith(`${one}.`)));
  return differences(changed, replaced).setDeletebeforereplace(
    replaced.length > 0 && isDeepStrictEqual(idOf(olds), idOf(news)),
  );
}

async function create(request: providerProto.CreateRequest): Promise<providerProto.CreateResponse> {
  const inputs = objectOf(request.getProperties());
  if (!isOn("upsertExistingObjects") && (await find(inputs)))
    throw new Error(`creating ${inputs.kind} "${idOf(inputs)}": the resource already exists in the cluster`);
  const live = await apply(inputs);
  return new providerProto.CreateResponse().setId(idOf(inputs)).setProperties(structOf(observe(inputs, live)));
}

async function read(request: providerProto.ReadRequest): Promise<providerProto.ReadResponse> {
  const [inputs, olds] = [objectOf(request.getInputs()), plainOf(request.getProperties())];
  const live = await find(inputs);
  if (!live) return new providerProto.ReadResponse();
  const now = observe(inputs, live);
  return new providerProto.ReadResponse()
    .setId(request.getId())
    .setProperties(structOf(now))
    .setInputs(structOf(merge(inputs, olds, now)));
}

/** Waits as long as the object's finalizers take, unless told not to. */
async function remove(request: providerProto.DeleteRequest): Promise<emptyProto.Empty> {
  const { apiVersion, kind, metadata } = objectOf(request.getOldInputs());
  const object = { apiVersion, kind, metadata };
  const waits = annotationsOf(object)["pulumi.com/skipAwait"] !== "true" || !unawaited.has(kind);
  const uid = (await find(object))?.metadata.uid;
  if (uid === undefined) return new emptyProto.Empty();
  const { api } = session;
  await inTime(api().delete(object, undefined, undefined, undefined, undefined, "Foreground")).catch(unlessGone);
  while (waits && (await find(object))?.metadata.uid === uid) {
    session.cancel.signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return new emptyProto.Empty();
}

async function apply(inputs: KubernetesObject): Promise<KubernetesObject> {
  session.cancel.signal.throwIfAborted();
  const force = isOn("enablePatchForce") || annotationsOf(inputs)["pulumi.com/patchForce"] === "true";
  return inTime(session.api().patch(inputs, undefined, undefined, fieldManager, force, PatchStrategy.ServerSideApply));
}

async function find({ apiVersion, kind, metadata }: KubernetesObject): Promise<KubernetesObject | undefined> {
  const { name, namespace = "" } = metadata;
  const wanted = { apiVersion, kind, metadata: { name, namespace } };
  return inTime(session.api().read<KubernetesObject>(wanted)).catch(unlessGone);
}

/** The plugin gives up on a connection that is not answered, too. */
async function inTime<T>(question: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const words = `asking the API server: no answer within ${answerTimeoutMs} ms`;
  const timer = setTimeout(() => reject(new Error(words)), answerTimeoutMs);
  try {
    return await Promise.race([question, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A kind that the cluster does not know (any more) has no objects. */
function unlessGone(error: unknown): undefined {
  if (error instanceof ApiException && error.code === 404) return undefined;
  if (error instanceof Error && error.message.startsWith("Unrecognized API version and kind")) return undefined;
  throw error;
}

function differences(changed: readonly string[], replaced: readonly string[] = []): providerProto.DiffResponse {
  const { DIFF_NONE, DIFF_SOME } = providerProto.DiffResponse.DiffChanges;
  return new providerProto.DiffResponse()
    .setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE)
    .setDiffsList([...new Set(changed.map((path) => path.split(".")[0] ?? path))])
    .setReplacesList([...replaced]);
}

/** Paths at which two values differ; lists count as one value. */
function leaves(one: unknown, other: unknown, path = ""): string[] {
  if (isDeepStrictEqual(one, other)) return [];
  if (!isRecord(one) || !isRecord(other)) return [path];
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].flatMap((key) =>
    leaves(one[key], other[key], path === "" ? key : `${path}.${key}`),
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** As the plugin's: `namespace/name`, or the name alone. */
function idOf({ metadata }: KubernetesObject): string {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name;
}

function annotationsOf({ metadata }: KubernetesObject): Readonly<Record<string, string>> {
  return (metadata as { annotations?: Record<string, string> }).annotations ?? {};
}

function objectOf(struct: Struct | undefined): KubernetesObject {
  return plainOf(struct) as unknown as KubernetesObject;
}

function plainOf(struct: Struct | undefined): Json {
  return struct?.toJavaScript() ?? {};
}

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

/** The API server's own words, without the request and its headers. */
function messageOf(error: unknown): string {
  if (error instanceof ApiException) {
    const body: unknown = typeof error.body === "string" ? JSON.parse(error.body) : error.body;
    return isRecord(body) && typeof body.message === "string" ? body.message : `the API server said ${error.code}`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** An engine that was killed ends nothing: as the plugin does, this one looks whether it is still there. */
function endWithEngine(address: string): void {
  const port = Number(address.slice(address.lastIndexOf(":") + 1));
  const look = () => {
    const socket = connect({ host: "127.0.0.1", port }, () => socket.end());
    socket.once("error", () => process.exit(0));
  };
  setInterval(look, engineLookMs).unref();
}

const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
server.addService(ResourceProviderService, service satisfies UntypedServiceImplementation);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  const [address] = process.argv.slice(2);
  if (address) endWithEngine(address);
  // What the engine waits for.
  process.stdout.write(`${port}\n`);
});
