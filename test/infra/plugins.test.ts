import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { checkPlugin, installCommand, neededPlugins, pluginOf } from "../../infra/plugins.ts";

const plugin = { name: "kubernetes", version: "4.34.2" };

describe("a plugin of the engine", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-plugins-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const check = (places: { pulumiHome?: string; path?: string } = {}, server?: string) =>
    checkPlugin(server === undefined ? plugin : { ...plugin, server }, { pulumiHome: folder, path: "", ...places });

  it("is the one its npm package names, in that version", () => {
    const { name, version } = pluginOf("@pulumi/kubernetes");
    assert.equal(name, "kubernetes");
    assert.match(version, /^4\.\d+\.\d+$/);
  });

  it("of a bridged provider is the one that bridges it", () => {
    assert.equal(pluginOf("@pulumi/neon").name, "terraform-provider");
  });

  it("is needed once, however many drivers of the targets use it, and by none that is not named", async () => {
    const driver = (...plugins: string[]) => ({ x: async () => ({ options: {}, plugins }) });
    const drivers = {
      service: driver("@pulumi/kubernetes"),
      dns: driver("@pulumi/kubernetes"),
      secrets: { y: async () => ({ options: {}, plugins: ["@pulumi/aws"] }), x: async () => ({ options: {} }) },
    };
    const x = { driver: "x", options: {} };
    const needed = await neededPlugins(drivers, [{ service: x, dns: x, secrets: x }]);
    assert.deepEqual(
      needed.map(({ name }) => name),
      ["kubernetes"],
    );
  });

  it("is found among the installed ones, in exactly its version", async () => {
    await mkdir(join(folder, "plugins", "resource-kubernetes-v4.34.2"), { recursive: true });
    assert.match((await check()).what, /"kubernetes" 4\.34\.2 is installed/);
  });

  it("is found on PATH", async () => {
    const program = join(folder, "pulumi-resource-kubernetes");
    await writeFile(program, "#!/bin/sh\n");
    await chmod(program, 0o755);
    assert.match((await check({ path: `/nowhere:${folder}` })).what, /is installed/);
  });

  it("that is at its server is downloaded in time; one that is not is a finding with the way out", async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const finding = await check({}, `https://127.0.0.1:${port}/plugins`);
    server.close();
    assert.equal(finding.ok, false);
    assert.match(finding.what, /"kubernetes" 4\.34\.2 is not installed, and "127\.0\.0\.1:\d+" cannot be reached/);
    assert.match(finding.remedy ?? "", /PULUMI_HOME=\S+ pulumi plugin install resource kubernetes v4\.34\.2 --server/);
    assert.match((await check({}, "github://api.github.com/acme")).what, /is downloaded from "github:/);
  });

  it("is installed by a command that a person can copy", () => {
    assert.equal(installCommand(plugin), "pulumi plugin install resource kubernetes v4.34.2");
  });
});
