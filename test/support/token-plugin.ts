/**
 * A vendor's plugin for the real engine, as a program of its own, because an attached one has an environment of its
 * own: `token-plugin.ts FOLDER VARIABLE`. The vendor knows the token that lies in `FOLDER/valid`; the plugin takes
 * its token from its inputs, or else from VARIABLE or the file that it names, and writes each call with the token it came with to `FOLDER/calls`.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import pluginProto from "@pulumi/pulumi/proto/plugin_pb.js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb.js";

export interface TokenPlugin {
  /** Of the plugin's program, for PATH. */
  readonly folder: string;
  /** From now on the vendor knows this token and no other. */
  accept(token: string): Promise<void>;
  /** `create TOKEN`, in order. */
  calls(): readonly string[];
}

/** Puts `pulumi-resource-NAME` into an empty folder. */
export async function installTokenPlugin(folder: string, name: string, variable: string): Promise<TokenPlugin> {
  const program = join(folder, `pulumi-resource-${name}`);
  const words = [process.execPath, fileURLToPath(import.meta.url), folder, variable].map((word) => `'${word}'`);
  await writeFile(program, `#!/bin/sh\nexec ${words.join(" ")}\n`);
  await chmod(program, 0o755);
  await writeFile(join(folder, "calls"), "");
  return {
    folder,
    accept: (token) => writeFile(join(folder, "valid"), token),
    calls: () => readFileSync(join(folder, "calls"), "utf8").split("\n").filter(Boolean),
  };
}

function serve(folder: string, variable: string): void {
  let token = "";
  const call = (action: string) => {
    appendFileSync(join(folder, "calls"), `${action} ${token}\n`);
    if (token !== readFileSync(join(folder, "valid"), "utf8")) throw new Error("the vendor does not know this token");
  };
  const server = new Server();
  server.addService(ResourceProviderService, {
    getPluginInfo: answer(() => new pluginProto.PluginInfo().setVersion("6.0.0")),
    getSchema: answer(() => new providerProto.GetSchemaResponse().setSchema("{}")),
    checkConfig: answer(checked),
    diffConfig: answer(difference),
    configure: answer((request: providerProto.ConfigureRequest) => {
      const { apiToken } = plain(request.getArgs());
      const given = typeof apiToken === "string" ? apiToken : (process.env[variable] ?? "");
      token = given.startsWith("/") ? readFileSync(given, "utf8") : given;
      return new providerProto.ConfigureResponse();
    }),
    check: answer(checked),
    diff: answer(difference),
    create: answer((request: providerProto.CreateRequest) => {
      call("create");
      return new providerProto.CreateResponse().setId("id").setProperties(request.getProperties());
    }),
    read: answer((request: providerProto.ReadRequest) => {
      call("read");
      return new providerProto.ReadResponse()
        .setId(request.getId())
        .setProperties(request.getProperties())
        .setInputs(request.getInputs());
    }),
    update: answer((request: providerProto.UpdateRequest) => {
      call("update");
      return new providerProto.UpdateResponse().setProperties(request.getNews());
    }),
    delete: answer(() => {
      call("delete");
      return new emptyProto.Empty();
    }),
    cancel: answer(() => new emptyProto.Empty()),
  });
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    process.stdout.write(`${port}\n`);
  });
}

function checked(request: providerProto.CheckRequest) {
  return new providerProto.CheckResponse().setInputs(request.getNews());
}

function difference(request: providerProto.DiffRequest) {
  const [olds, news] = [plain(request.getOldInputs()), plain(request.getNews())];
  const changed = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
    (key) => JSON.stringify(olds[key]) !== JSON.stringify(news[key]),
  );
  const { DIFF_NONE, DIFF_SOME } = providerProto.DiffResponse.DiffChanges;
  return new providerProto.DiffResponse().setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE).setDiffsList(changed);
}

function plain(struct: Struct | undefined): Record<string, unknown> {
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

const [, script, folder, variable] = process.argv;
if (script === fileURLToPath(import.meta.url) && folder && variable) serve(folder, variable);
