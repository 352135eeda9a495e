import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type EgressInputs, egressResource } from "../../../components/local/egress.ts";
import { keepEgressAccess } from "../../../components/local/egress-access.ts";
import {
  applyFirewall,
  confinedUsers,
  readFirewall,
  readTried,
  removeFirewall,
} from "../../../components/local/firewall.ts";
import { removePreviewFolder } from "../../../components/local/folder.ts";
import { layout } from "../../../components/local/layout.ts";
import { openLog } from "../../../components/local/log-file.ts";
import { owned, remove } from "../../../components/local/operations.ts";
import { endTrees, startProcess } from "../../../components/local/processes.ts";
import { allocateUser, builderGroup } from "../../../components/local/users.ts";
import { eventually } from "../../support/eventually.ts";
import { requires } from "../../support/requires.ts";
import { createLocalWorld, STACK } from "./local-world.ts";

/** Connects as plainly as can be, and prints what came of it. */
const CONNECT = `
const [, host, port] = process.argv;
const socket = require("node:net").connect({ host, port: Number(port) });
socket.on("data", (data) => { console.log(String(data)); socket.end(); });
socket.on("error", (error) => console.log(error.code));
`;

const DATAGRAM = `
const [, host, port] = process.argv;
const socket = require("node:dgram").createSocket(host.includes(":") ? "udp6" : "udp4");
socket.on("error", (error) => console.log(error.code));
socket.connect(Number(port), host, () => socket.send("hello", (error) => {
  console.log(error ? error.code : "sent");
  socket.close();
}));
`;

const LISTEN = `
const server = require("node:net").createServer((socket) => socket.end("hello"));
server.listen(0, process.argv[1], () => console.log("port " + server.address().port));
`;

describe("a preview's way out", requires("root", "nftables"), () => {
  let world: Awaited<ReturnType<typeof createLocalWorld>>;
  let user = 0;
  let strange: Server;
  let port = 0;
  const nothing: EgressInputs = { hosts: [], trusted: [], direct: [], urls: [], database: "" };
  const allow = (more: Partial<EgressInputs> = {}) =>
    egressResource.create(world.context(), { ...nothing, ...more }, "e");

  before(async () => {
    world = await createLocalWorld();
    user = (await allocateUser(world.dataDir, STACK)) ?? 0;
    strange = createServer((socket) => socket.end("hello"));
    strange.listen({ host: "::", port: 0, ipv6Only: false });
    await once(strange, "listening");
    port = (strange.address() as AddressInfo).port;
  });
  after(async () => {
    strange.close();
    await world.remove();
    await removeFirewall(world.dataDir);
  });

  /** Runs a script as a user of previews, and gives its output when it ended. */
  async function run(script: string, args: readonly string[], as: { user: number; group?: number } = { user }) {
    const logFile = join(world.dataDir, `${as.user}.log`);
    const log = await openLog(logFile, as.user);
    const from = (await readFile(logFile, "utf8")).length;
    try {
      const command = `exec '${process.execPath}' -e '${script.replaceAll("'", `'"'"'`)}' -- ${args.join(" ")}`;
      const started = await startProcess({ command, directory: "/", environment: {}, ...as, log: log.fd });
      started.open();
      const said = async () => (await readFile(logFile, "utf8")).slice(from).trim();
      return { exited: started.exited, identity: started.identity, said };
    } finally {
      await log.close();
    }
  }

  async function connects(host: string, to: number, as?: { user: number; group?: number }): Promise<string> {
    const { exited, said } = await run(CONNECT, [host, String(to)], as);
    await exited;
    return said();
  }

  /** This machine's own address that is not loopback. */
  function outerAddresses(): readonly string[] {
    const all = Object.values(networkInterfaces()).flat();
    return all.flatMap((one) => (one && !one.internal && !one.address.startsWith("fe80") ? [one.address] : []));
  }

  it("is open as long as nothing says otherwise", async () => {
    assert.equal(await connects("127.0.0.1", port), "hello");
  });

  it("leads to no other program on this machine, by whatever address", async () => {
    await allow();
    for (const host of ["127.0.0.1", "::1", "127.8.8.8", ...outerAddresses()]) {
      assert.equal(await connects(host, port), "ECONNREFUSED", host);
    }
  });

  it("leads to no other machine", async () => {
    await allow();
    // Of documentation and of no one: refused here, not somewhere on the way.
    assert.equal(await connects("198.51.100.7", 443), "ECONNREFUSED");
    const { exited, said } = await run(DATAGRAM, ["198.51.100.7", "53"]);
    await exited;
    assert.match(await said(), /^(EPERM|ECONNREFUSED|ENETUNREACH)/);
  });

  it("tells what was tried past the proxy", async () => {
    await allow();
    await connects("198.51.100.7", 443);
    const tried = (await readTried(world.dataDir)).map((one) => ({ ...one, count: one.count > 0 }));
    assert.deepEqual(tried, [{ user, address: "198.51.100.7", port: 443, count: true }]);
    await allow();
    assert.deepEqual(await readTried(world.dataDir), []);
  });

  it("leads to its own programs, on whatever port they chose", async () => {
    await allow();
    for (const host of ["127.0.0.1", "::1"]) {
      const listening = await run(LISTEN, [host]);
      const own = await eventually(async () => /port (\d+)/.exec(await listening.said())?.[1]);
      assert.equal(await connects(host, Number(own)), "hello");
      await endTrees([listening.identity], { drainMs: 0, others: async () => [] });
    }
  });

  it("leads to no program of another preview, nor does its own answer that one", async () => {
    await allow();
    const other = (await allocateUser(world.dataDir, "shop-pr-2")) ?? 0;
    const folder = layout(world.dataDir).preview("shop-pr-2").folder;
    await mkdir(folder, { recursive: true });
    await egressResource.create(world.context("shop-pr-2"), nothing, "e");
    const listening = await run(LISTEN, ["127.0.0.1"], { user: other });
    const theirs = await eventually(async () => /port (\d+)/.exec(await listening.said())?.[1]);
    assert.equal(await connects("127.0.0.1", Number(theirs)), "ECONNREFUSED");
    await endTrees([listening.identity], { drainMs: 0, others: async () => [] });
    await removePreviewFolder(world.dataDir, "shop-pr-2");
  });

  it("leads to proxy, database and gateway, and to what the operator opened", async () => {
    await allow({ database: `127.0.0.1:${port}` });
    assert.equal(await connects("127.0.0.1", port), "hello");
    await allow({ urls: [`http://pr-1-shop.localhost:${port}`] });
    assert.equal(await connects("127.0.0.1", port), "hello");
    await allow({ direct: [`127.0.0.1:${port}`] });
    assert.equal(await connects("127.0.0.1", port), "hello");
    const [outer] = outerAddresses().filter((address) => address.includes("."));
    if (outer !== undefined) {
      await allow({ direct: [`${outer}:${port}`] });
      assert.equal(await connects(outer, port), "hello");
    }
    await allow();
    await keepEgressAccess(world.dataDir, port);
    await applyFirewall(world.dataDir);
    assert.equal(await connects("127.0.0.1", port), "hello");
    await keepEgressAccess(world.dataDir, 1);
    await applyFirewall(world.dataDir);
  });

  it("is as wide as the machine's for what installs and builds", async () => {
    await allow();
    assert.equal(await connects("127.0.0.1", port, { user, group: builderGroup(world.dataDir) }), "hello");
    assert.equal(await connects("127.0.0.1", port), "ECONNREFUSED");
  });

  it("is told of as drift when somebody removed the rules, and made again", async () => {
    const { state } = await allow();
    assert.deepEqual(await egressResource.read(world.context(), STACK, state), state);
    await removeFirewall(world.dataDir);
    assert.equal(await egressResource.read(world.context(), STACK, state), undefined);
    await applyFirewall(world.dataDir);
    const once = await readFirewall(world.dataDir);
    await applyFirewall(world.dataDir);
    assert.equal(await readFirewall(world.dataDir), once);
    assert.equal(await connects("127.0.0.1", port), "ECONNREFUSED");
  });

  it("is found by the sweep, and leaves no rule behind", async () => {
    await allow();
    const rules = (await owned(world.dataDir, STACK)).filter(({ kind }) => kind === "firewall rule");
    assert.deepEqual(rules, [{ kind: "firewall rule", id: String(user), stack: STACK }]);
    for (const rule of rules) await remove(world.dataDir, rule);
    assert.deepEqual(await confinedUsers(world.dataDir), []);
    assert.equal(await readFirewall(world.dataDir), undefined);
    await allow();
    await removePreviewFolder(world.dataDir, STACK);
    assert.equal(await readFirewall(world.dataDir), undefined);
  });
});
