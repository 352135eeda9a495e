/**
 * A stand-in for the Terraform bridge behind `@pulumi/neon`, for the real engine: parameterized like it,
 * and what it makes shows on the contract server, so that engine, program and API see one world.
 */
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import pluginProto from "@pulumi/pulumi/proto/plugin_pb.js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import structProto, { type JavaScriptValue, type Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { aBranch, anEndpoint, type NeonServer } from "./neon-server.ts";

export interface NeonProvider {
  readonly port: number;
  /** `create branch stackling/…`, in order. */
  readonly log: string[];
  /** What the next create of a branch is refused with, in the provider's words. */
  refusal: string | undefined;
  close(): void;
}

type Values = Record<string, JavaScriptValue>;

export async function startNeonProvider(world: NeonServer): Promise<NeonProvider> {
  const server = new Server();
  let made = 0;
  const create = (kind: string, inputs: Values): { readonly id: string; readonly outputs: Values } => {
    const name = String(inputs.name ?? "");
    const branch = String(inputs.branchId ?? "");
    made += 1;
    if (kind === "branch") {
      if (provider.refusal !== undefined) throw new Error(provider.refusal);
      if (world.branches.some((one) => one.name === name)) throw new Error("[HTTP Code: 409] branch already exists");
      const id = `br-${made}`;
      world.branches.push(aBranch({ id, name, parent_id: String(inputs.parentId) }));
      return { id, outputs: inputs };
    }
    if (kind === "endpoint") {
      const endpoint = anEndpoint({ id: `ep-${made}`, branch_id: branch, current_state: "active" });
      if (world.endpoints.some((one) => one.branch_id === branch))
        throw new Error("read-write endpoint already exists");
      world.endpoints.push(endpoint);
      return { id: endpoint.id, outputs: { ...inputs, host: endpoint.host } };
    }
    if (kind === "role") world.passwords.set(`${branch}/${name}`, "word");
    return { id: `${branch}/${name}`, outputs: kind === "role" ? { ...inputs, password: "word" } : inputs };
  };
  server.addService(ResourceProviderService, {
    getPluginInfo: answer(() => new pluginProto.PluginInfo().setVersion("1.1.1")),
    attach: answer(() => new emptyProto.Empty()),
    parameterize: answer((request: providerProto.ParameterizeRequest) => {
      const value = request.getValue();
      return new providerProto.ParameterizeResponse()
        .setName(value?.getName() ?? "")
        .setVersion(value?.getVersion() ?? "");
    }),
    getSchema: answer(() => new providerProto.GetSchemaResponse().setSchema("{}")),
    checkConfig: answer((request: providerProto.CheckRequest) =>
      new providerProto.CheckResponse().setInputs(request.getNews()),
    ),
    diffConfig: answer(() => new providerProto.DiffResponse()),
    configure: answer(() => new providerProto.ConfigureResponse()),
    check: answer((request: providerProto.CheckRequest) =>
      new providerProto.CheckResponse().setInputs(request.getNews()),
    ),
    diff: answer((request: providerProto.DiffRequest) => {
      const [olds, news] = [plain(request.getOldInputs()), plain(request.getNews())];
      const changed = Object.keys(news).filter((key) => news[key] !== olds[key]);
      const { DIFF_NONE, DIFF_SOME } = providerProto.DiffResponse.DiffChanges;
      // Terraform's schema of a role and a database replaces on these; that of a branch or an endpoint on none of ours.
      const replaces = /role|database/.test(kindOf(request.getUrn())) ? changed : [];
      return new providerProto.DiffResponse()
        .setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE)
        .setDiffsList(changed)
        .setReplacesList(replaces);
    }),
    create: answer((request: providerProto.CreateRequest) => {
      const kind = kindOf(request.getUrn());
      const inputs = plain(request.getProperties());
      const { id, outputs } = create(kind, inputs);
      provider.log.push(`create ${kind} ${inputs.name ?? inputs.branchId}`);
      return new providerProto.CreateResponse().setId(id).setProperties(structProto.Struct.fromJavaScript(outputs));
    }),
    read: answer((request: providerProto.ReadRequest) =>
      new providerProto.ReadResponse()
        .setId(request.getId())
        .setProperties(request.getProperties())
        .setInputs(request.getInputs()),
    ),
    update: answer((request: providerProto.UpdateRequest) => {
      provider.log.push(`update ${kindOf(request.getUrn())}`);
      return new providerProto.UpdateResponse().setProperties(request.getNews());
    }),
    delete: answer((request: providerProto.DeleteRequest) => {
      const kind = kindOf(request.getUrn());
      provider.log.push(`delete ${kind} ${request.getId()}`);
      const index = world.branches.findIndex(({ id }) => id === request.getId());
      if (kind === "branch" && index >= 0) world.branches.splice(index, 1);
      return new emptyProto.Empty();
    }),
    cancel: answer(() => new emptyProto.Empty()),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const provider: NeonProvider = { port, log: [], refusal: undefined, close: () => server.forceShutdown() };
  return provider;
}

/** `branch` of `…$neon:index/branch:Branch::name`. */
function kindOf(urn: string): string {
  return /neon:index\/([a-z]+):/.exec(urn)?.[1] ?? "";
}

function plain(struct: Struct | undefined): Values {
  return struct?.toJavaScript() ?? {};
}

function answer<Q, A>(handle: (request: Q) => A) {
  return (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>): void => {
    try {
      callback(null, handle(call.request));
    } catch (error) {
      callback({ code: status.UNKNOWN, details: String(error) });
    }
  };
}
