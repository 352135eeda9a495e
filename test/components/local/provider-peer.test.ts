import assert from "node:assert/strict";
import { chmod, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { execa } from "execa";
import { nodeFolder } from "../../../components/local/node-runtime.ts";
import { startProvider } from "../../../components/local/provider.ts";
import { requires } from "../../support/requires.ts";

/** Asks the provider at port argv[1] who it is and prints gRPC's status code. */
const CALLER = `
const session = require("node:http2").connect("http://127.0.0.1:" + process.argv[1]);
const call = session.request({
  ":method": "POST", ":path": "/pulumirpc.ResourceProvider/GetPluginInfo",
  "content-type": "application/grpc", te: "trailers",
});
const done = (status) => { console.log(status); process.exit(0); };
call.on("response", (headers) => headers["grpc-status"] !== undefined && done(headers["grpc-status"]));
call.on("trailers", (headers) => done(headers["grpc-status"]));
call.end(Buffer.alloc(5)).resume();
`;

describe("the local provider's port", () => {
  it("answers its own user and refuses a preview's", requires("root"), async () => {
    const dataDir = await realpath(await mkdtemp(join(tmpdir(), "stackling-peer-")));
    await chmod(dataDir, 0o711);
    const provider = await startProvider({ dataDir }, { currentFence: () => 1 });
    try {
      const node = join(await nodeFolder(dataDir), "node");
      const ask = async (user: number) => {
        const args = ["-e", CALLER, String(provider.port)];
        return (await execa(node, args, { uid: user, gid: user, cwd: "/", env: {}, extendEnv: false })).stdout;
      };
      assert.equal(await ask(0), "0");
      assert.equal(await ask(300_001), "7", "PERMISSION_DENIED");
    } finally {
      await provider.close();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
