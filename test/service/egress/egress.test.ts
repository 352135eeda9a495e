import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type EgressInputs, egressResource } from "../../../components/local/egress.ts";
import { egressEnvironment } from "../../../components/local/egress-access.ts";
import { readFirewall } from "../../../components/local/firewall.ts";
import { folderResource } from "../../../components/local/folder.ts";
import { layout } from "../../../components/local/layout.ts";
import { openLog } from "../../../components/local/log-file.ts";
import { startProcess } from "../../../components/local/processes.ts";
import { allocateUser, listUsers } from "../../../components/local/users.ts";
import { type Egress, startEgress } from "../../../service/egress/egress.ts";
import { createLocalWorld, STACK } from "../../components/local/local-world.ts";
import { eventually } from "../../support/eventually.ts";
import { requires } from "../../support/requires.ts";

const OTHER = "shop-pr-2";

/** A tunnel as a program asks for one, and what came through it. */
const TUNNEL = `
const proxy = new URL(process.env.HTTPS_PROXY);
const [, target, say] = process.argv;
const request = require("node:http").request({ host: proxy.hostname, port: proxy.port, method: "CONNECT", path: target,
  headers: { "proxy-authorization": "Basic " + Buffer.from(proxy.username + ":" + proxy.password).toString("base64") } });
request.on("error", (error) => console.log(error.code));
request.on("connect", (response, socket) => {
  if (response.statusCode !== 200) { console.log(String(response.statusCode)); process.exit(); }
  socket.on("data", (data) => { console.log(String(data).split("\\r\\n").at(-1)); socket.end(); });
  socket.on("close", () => process.exit());
  socket.write("GET / HTTP/1.1\\r\\nHost: " + target + "\\r\\nConnection: close\\r\\n\\r\\n");
});
request.end();
`;

describe("the way out of this machine's previews", requires("root", "nftables"), () => {
  let world: Awaited<ReturnType<typeof createLocalWorld>>;
  let egress: Egress;
  let web: Server;
  let target = "";
  const undo: ((how: { readonly endServices: boolean }) => Promise<unknown>)[] = [];
  const warnings: string[] = [];

  const start = () =>
    startEgress(
      {
        config: { targets: [{ service: { driver: "local" } }] as never },
        dataDir: world.dataDir,
        logger: { warn: (_fields, message) => warnings.push(message) },
        now: () => "2027-01-01T00:00:00.000Z",
      },
      undo,
    );
  const stop = async (endServices: boolean) => {
    for (const end of undo.splice(0)) await end({ endServices });
  };
  const allow = (stack: string, trusted: readonly string[]) => {
    const inputs: EgressInputs = { hosts: ["api.example"], trusted, direct: [], urls: [], database: "" };
    return egressResource.create(world.context(stack), inputs, "egress");
  };

  before(async () => {
    web = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
    });
    web.listen(0, "127.0.0.1");
    await once(web, "listening");
    target = `127.0.0.1:${(web.address() as AddressInfo).port}`;
    world = await createLocalWorld();
    await folderResource.create(world.context(OTHER), {}, "folder");
    egress = await start();
  });
  after(async () => {
    web.close();
    await stop(true);
    await world.remove();
  });

  /** What a process of one preview gets with the variables of another. */
  async function call(to: string, as: string, variablesOf: string): Promise<string> {
    const user = (await allocateUser(world.dataDir, as)) ?? 0;
    const logFile = join(world.dataDir, `${as}.log`);
    const log = await openLog(logFile, user);
    const from = (await readFile(logFile, "utf8")).length;
    const { variables } = await egressEnvironment(world.dataDir, variablesOf);
    const command = `exec '${process.execPath}' -e '${TUNNEL}' -- ${to}`;
    // The script asks the proxy itself.
    const environment = { ...variables, NODE_USE_ENV_PROXY: "" };
    const started = await startProcess({ command, directory: "/", environment, user, log: log.fd });
    started.open();
    await started.exited;
    await log.close();
    return (await readFile(logFile, "utf8")).slice(from).trim();
  }

  it("leads a preview to what is named for it, and tells of what is not", async () => {
    await allow(STACK, [target]);
    assert.equal(await call(target, STACK, STACK), "hello");
    assert.equal(await call("evil.example:443", STACK, STACK), "403");
    const [refused] = await eventually(async () => {
      const list = await egress.refusedCalls(STACK);
      return list.length > 0 && list;
    });
    const at = "2027-01-01T00:00:00.000Z";
    assert.deepEqual(refused, { host: "evil.example", port: 443, why: "unlisted", count: 1, firstAt: at, lastAt: at });
    const log = layout(world.dataDir).preview(STACK).log("egress");
    assert.match(await eventually(() => readFile(log, "utf8").catch(() => "")), /calling "evil\.example:443"/);
  });

  it("lends nobody the list of another, even with what that one was told", async () => {
    await allow(STACK, [target]);
    await allow(OTHER, []);
    assert.equal(await call(target, OTHER, OTHER), "403");
    assert.equal(await call(target, OTHER, STACK), "407");
    assert.equal(await call(target, STACK, STACK), "hello");
  });

  it("takes effect at once when the list changes", async () => {
    await allow(STACK, [target]);
    assert.equal(await call(target, STACK, STACK), "hello");
    await allow(STACK, []);
    assert.equal(await call(target, STACK, STACK), "403");
  });

  it("is shut while the service is not there, and where it was when it comes back", async () => {
    await allow(STACK, [target]);
    const before = await egressEnvironment(world.dataDir, STACK);
    await stop(false);
    assert.ok(await readFirewall(world.dataDir));
    assert.equal(await call(target, STACK, STACK), "ECONNREFUSED");
    egress = await start();
    assert.deepEqual(await egressEnvironment(world.dataDir, STACK), before);
    assert.equal(await call(target, STACK, STACK), "hello");
  });

  it("leaves no rule when the service stops for good, and has them again when it starts", async () => {
    await allow(STACK, [target]);
    await stop(true);
    assert.equal(await readFirewall(world.dataDir), undefined);
    egress = await start();
    assert.ok(await readFirewall(world.dataDir));
    assert.ok((await listUsers(world.dataDir))[STACK]);
    assert.deepEqual(warnings, []);
  });
});
