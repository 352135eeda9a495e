/**
 * Stands in for the plugin behind `@pulumi/aws`, which downloads nothing here: keeps what it is told
 * and gives ARNs, so that the real engine can run the real program. It asks AWS nothing.
 */
import { isDeepStrictEqual } from "node:util";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import pluginProto from "@pulumi/pulumi/proto/plugin_pb.js";
import { type IResourceProviderServer, ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import structProto, { type JavaScriptValue, type Struct } from "google-protobuf/google/protobuf/struct_pb.js";

type Json = Readonly<Record<string, JavaScriptValue>>;

export interface AwsProvider {
  readonly port: number;
  /** What exists: type and inputs by id. */
  readonly things: ReadonlyMap<string, { readonly type: string; readonly inputs: Json }>;
  /** What was done since the last look, such as `create aws:ecs/service:Service service-web`. */
  takeLog(): string[];
  /** Configuration of the newest explicit provider. */
  config(): Json;
  close(): void;
}

/** Types of which every change is another thing, with the property that names them. */
const REPLACED = new Set(["aws:ecs/taskDefinition:TaskDefinition", "aws:cloudwatch/logStream:LogStream"]);

export async function startAwsProvider(): Promise<AwsProvider> {
  const things = new Map<string, { type: string; inputs: Json }>();
  const log: string[] = [];
  let config: Json = {};
  let made = 0;
  const note = (verb: string, urn: string) => log.push(`${verb} ${typeOf(urn)} ${urn.split("::").at(-1)}`);
  const service = {
    getPluginInfo: answer(async () => new pluginProto.PluginInfo().setVersion("7.47.0")),
    attach: answer(async () => new emptyProto.Empty()),
    getSchema: answer(async () => new providerProto.GetSchemaResponse().setSchema("{}")),
    checkConfig: answer(async (request: providerProto.CheckRequest) => {
      config = plainOf(request.getNews());
      return new providerProto.CheckResponse().setInputs(request.getNews());
    }),
    diffConfig: answer(async () => new providerProto.DiffResponse()),
    configure: answer(async () =>
      new providerProto.ConfigureResponse().setAcceptsecrets(false).setAcceptresources(false),
    ),
    check: answer(async (request: providerProto.CheckRequest) =>
      new providerProto.CheckResponse().setInputs(request.getNews()),
    ),
    diff: answer(async (request: providerProto.DiffRequest) => {
      const [olds, news] = [plainOf(request.getOldInputs()), plainOf(request.getNews())];
      const keys = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
      const ignored = request.getIgnorechangesList();
      const changed = keys.filter((key) => !ignored.includes(key) && !isDeepStrictEqual(olds[key], news[key]));
      const { DIFF_NONE, DIFF_SOME } = providerProto.DiffResponse.DiffChanges;
      return new providerProto.DiffResponse()
        .setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE)
        .setDiffsList(changed)
        .setReplacesList(REPLACED.has(typeOf(request.getUrn())) ? changed : []);
    }),
    create: answer(async (request: providerProto.CreateRequest) => {
      const [urn, inputs] = [request.getUrn(), plainOf(request.getProperties())];
      made += 1;
      const id = `${urn.split("::").at(-1)}-${made}`;
      things.set(id, { type: typeOf(urn), inputs });
      note("create", urn);
      return new providerProto.CreateResponse()
        .setId(id)
        .setProperties(structOf(stateOf(typeOf(urn), id, inputs, made)));
    }),
    read: answer(async (request: providerProto.ReadRequest) => {
      const known = things.has(request.getId());
      return new providerProto.ReadResponse()
        .setId(known ? request.getId() : "")
        .setProperties(request.getProperties())
        .setInputs(request.getInputs());
    }),
    update: answer(async (request: providerProto.UpdateRequest) => {
      const inputs = plainOf(request.getNews());
      things.set(request.getId(), { type: typeOf(request.getUrn()), inputs });
      note("update", request.getUrn());
      return new providerProto.UpdateResponse().setProperties(structOf({ ...plainOf(request.getOlds()), ...inputs }));
    }),
    delete: answer(async (request: providerProto.DeleteRequest) => {
      things.delete(request.getId());
      note("delete", request.getUrn());
      return new emptyProto.Empty();
    }),
    cancel: answer(async () => new emptyProto.Empty()),
  } satisfies Partial<IResourceProviderServer>;
  const server = new Server();
  server.addService(ResourceProviderService, service);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    port,
    things,
    takeLog: () => log.splice(0),
    config: () => config,
    close: () => server.forceShutdown(),
  };
}

function stateOf(type: string, id: string, inputs: Json, revision: number): Json {
  const vendor = type.split(":")[1]?.split("/")[0];
  const arn =
    type === "aws:ecs/taskDefinition:TaskDefinition"
      ? `arn:aws:ecs:eu-central-1:123456789012:task-definition/${String(inputs.family)}:${revision}`
      : `arn:aws:${vendor}:eu-central-1:123456789012:${id}`;
  return { ...inputs, arn, versionId: `v${revision}` };
}

/** `urn:pulumi:stack::project::parent$type::name` */
function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

function plainOf(struct: Struct | undefined): Json {
  return struct?.toJavaScript() ?? {};
}

function structOf(value: Json): Struct {
  return structProto.Struct.fromJavaScript(value);
}

function answer<Q, A>(handle: (request: Q) => Promise<A>) {
  return (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>): void => {
    handle(call.request).then(
      (response) => callback(null, response),
      (error: unknown) => callback({ code: status.UNKNOWN, details: String(error) }),
    );
  };
}
