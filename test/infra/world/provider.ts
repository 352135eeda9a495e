/** A provider whose world is a folder: one file a thing. It can be told to hold a create or to refuse it. */
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import pluginProto from "@pulumi/pulumi/proto/plugin_pb.js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import proto from "@pulumi/pulumi/proto/provider_pb.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import structProto, { type Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { encodeForEngine, StacklingError } from "../../../components/errors.ts";
import { admitFence } from "../../../components/local/fence.ts";

interface Deps {
  currentFence(stack: string): number | undefined;
}

export async function startProvider({ dataDir }: { dataDir: string }, deps: Deps): Promise<{ readonly port: number }> {
  const world = join(dataDir, "world");
  await mkdir(world, { recursive: true });
  let cancelled = new AbortController();
  const server = new Server();
  const admit = (urn: string) => {
    const stack = urn.split(":")[2] ?? "";
    return admitFence(dataDir, stack, deps.currentFence(stack) ?? 0);
  };
  const nothing = async () => new emptyProto.Empty();
  server.addService(ResourceProviderService, {
    getPluginInfo: answer(async () => new pluginProto.PluginInfo().setVersion("0.1.0")),
    attach: answer(nothing),
    getSchema: answer(async () => new proto.GetSchemaResponse().setSchema("{}")),
    checkConfig: answer(async (request: proto.CheckRequest) => new proto.CheckResponse().setInputs(request.getNews())),
    diffConfig: answer(async () => new proto.DiffResponse()),
    configure: answer(async () => {
      cancelled = new AbortController();
      return new proto.ConfigureResponse();
    }),
    check: answer(async (request: proto.CheckRequest) => new proto.CheckResponse().setInputs(request.getNews())),
    diff: answer(async (request: proto.DiffRequest) => {
      const changed = text(request.getOlds()) !== text(request.getNews());
      const { DIFF_NONE, DIFF_SOME } = proto.DiffResponse.DiffChanges;
      return new proto.DiffResponse().setChanges(changed ? DIFF_SOME : DIFF_NONE);
    }),
    create: answer(async (request: proto.CreateRequest) => {
      const file = join(world, `${request.getUrn().split("::").at(-1)}.json`);
      const inputs = plain(request.getProperties());
      await admit(request.getUrn());
      await writeFile(file, JSON.stringify(inputs));
      if (inputs.fault === "refuse") throw refusal();
      while (inputs.hold !== undefined && !existsSync(join(world, String(inputs.hold)))) {
        await delay(10, undefined, { signal: inputs.fault === "deaf" ? undefined : cancelled.signal });
      }
      return new proto.CreateResponse().setId(file).setProperties(request.getProperties());
    }),
    read: answer(async (request: proto.ReadRequest) => {
      const response = new proto.ReadResponse();
      if (!existsSync(request.getId())) return response;
      const seen = JSON.parse(await readFile(request.getId(), "utf8"));
      return response
        .setId(request.getId())
        .setProperties(structProto.Struct.fromJavaScript(seen))
        .setInputs(request.getInputs());
    }),
    update: answer(async (request: proto.UpdateRequest) => {
      await admit(request.getUrn());
      await writeFile(request.getId(), text(request.getNews()));
      return new proto.UpdateResponse().setProperties(request.getNews());
    }),
    delete: answer(async (request: proto.DeleteRequest) => {
      await admit(request.getUrn());
      await rm(request.getId(), { force: true });
      return new emptyProto.Empty();
    }),
    cancel: answer(async () => {
      cancelled.abort();
      return new emptyProto.Empty();
    }),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { port };
}

function refusal(): StacklingError {
  return new StacklingError({
    reason: "Refused",
    userMessage: "creating a thing: refused",
    excerpt: ["line 1", "line 2"],
  });
}

function plain(struct: Struct | undefined): Record<string, unknown> {
  return struct?.toJavaScript() ?? {};
}

function text(struct: Struct | undefined): string {
  return JSON.stringify(Object.fromEntries(Object.entries(plain(struct)).sort()));
}

function answer<Q, A>(handle: (request: Q) => Promise<A>) {
  return (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>): void => {
    handle(call.request).then(
      (response) => callback(null, response),
      (error: Error) =>
        callback({
          code: status.UNKNOWN,
          details: error instanceof StacklingError ? encodeForEngine(error) : error.message,
        }),
    );
  };
}
