/** Lines that the engine shows beside a resource while it works. */
import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engineProto from "@pulumi/pulumi/proto/engine_pb.js";

/** Until an engine attached, and after it left, lines go nowhere: they inform, nothing depends on them. */
export function createEngineLog() {
  let client: EngineClient | undefined;
  const close = () => {
    client?.close();
    client = undefined;
  };
  return {
    attach(address: string): void {
      close();
      client = new EngineClient(address, credentials.createInsecure());
    },
    info(urn: string, message: string): void {
      const request = new engineProto.LogRequest()
        .setSeverity(engineProto.LogSeverity.INFO)
        .setMessage(message)
        .setUrn(urn)
        .setEphemeral(true);
      client?.log(request, () => undefined);
    },
    close,
  };
}
