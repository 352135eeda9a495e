import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup.js";
import { core } from "@pulumi/kubernetes";
import { ComponentResource } from "@pulumi/pulumi";
import type { Account } from "../../components/aws/account.ts";
import { createAwsProvider } from "../../components/aws/provider.ts";
import type { Credential } from "../../components/credential.ts";
import { cloudflareDns } from "../../components/dns/cloudflare.ts";
import { createProvider } from "../../components/kubernetes/provider.ts";
import { kubernetesService } from "../../components/service/kubernetes.ts";
import { locateEngine } from "../../infra/engine.ts";
import { createStackDriver, type StackDriver } from "../../infra/stack-driver.ts";
import type { RunHooks } from "../../infra/stacks.ts";
import { engineEnvironment } from "../../service/engine-environment.ts";
import { CLOUDFLARE_TOKEN, type CloudflareServer, startCloudflareServer } from "../support/cloudflare-server.ts";
import { requires } from "../support/requires.ts";
import { installTokenPlugin, type TokenPlugin } from "../support/token-plugin.ts";
import { createWorld, spec } from "./world/world.ts";

const STACK = "shop-pr-1";
const VARIABLE = "STACKLING_TEST_ROTATED";

const hooks: RunHooks = {
  recordEngine: async () => {},
  priorEngines: async () => [],
  onEvent: () => {},
  interrupt: new AbortController().signal,
};

describe("a credential that was replaced since the last update", requires("engine"), () => {
  let folder: string;
  let server: CloudflareServer;
  let plugin: TokenPlugin;

  before(async () => {
    server = await startCloudflareServer();
  });
  after(() => server?.close());
  beforeEach(async () => {
    server.token = CLOUDFLARE_TOKEN;
    folder = await mkdtemp(join(tmpdir(), "stackling-credentials-"));
    await mkdir(join(folder, "plugins"));
    plugin = await installTokenPlugin(join(folder, "plugins"), "cloudflare", "CLOUDFLARE_API_TOKEN");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** As a service that starts now builds it: its own variables are taken once, files for each run. */
  async function start(options: Record<string, unknown>): Promise<StackDriver> {
    const choice = (options: Record<string, unknown>) => ({ driver: "any", options });
    const dns = choice(options);
    const target = { name: "cloud", runs: "images" as const, service: choice({}), dns, secrets: choice({}) };
    const environment = engineEnvironment({ targets: [target], engineEnvironment: ["AWS_ACCESS_KEY_ID"] });
    // As in a runner's child, where programs run.
    Object.assign(process.env, environment);
    const engine = (await locateEngine()).command;
    await writeFile(join(folder, "passphrase"), "test");
    return createStackDriver({
      engine,
      backendUrl: `file://${folder}`,
      passphraseFile: join(folder, "passphrase"),
      pulumiHome: join(folder, "home"),
      runsFolder: join(folder, "runs"),
      environment: {
        ...environment,
        PATH: [dirname(process.execPath), plugin.folder, process.env.PATH].join(delimiter),
        HOME: folder,
      },
      limits: { runMs: 60_000, silenceMs: 60_000, killMs: 1_000 },
    });
  }

  function up(driver: StackDriver, apiToken: Credential, target = "gateway.acme.dev") {
    const options = cloudflareDns.options.parse({ zone: server.zoneId, apiToken, target, apiUrl: server.url });
    const routes = [{ host: "pr-1.acme.dev", service: "web", address: "10.0.0.7:3000" }];
    const program = async () => {
      new cloudflareDns.component("routes", { stack: STACK, tags: {}, options, routes });
      return {};
    };
    return driver.up({ stack: STACK, program, refresh: false, mayBeNew: true, secrets: [] }, hooks);
  }

  const state = () => readFile(join(folder, ".pulumi", "stacks", "stackling", `${STACK}.json`), "utf8");

  const places = [
    {
      place: "a variable",
      reference: (): Credential => ({ env: VARIABLE }),
      put: async (token: string) => {
        process.env[VARIABLE] = token;
      },
    },
    {
      place: "a file",
      reference: (): Credential => ({ file: join(folder, "token") }),
      put: (token: string) => writeFile(join(folder, "token"), `${token}\n`),
    },
  ];
  for (const { place, reference, put } of places) {
    it(`in ${place} lets a preview be compared and go`, async () => {
      await plugin.accept(CLOUDFLARE_TOKEN);
      await put(CLOUDFLARE_TOKEN);
      const first = await start({ apiToken: reference() });
      await up(first, reference());
      const text = await state();
      assert.ok(text.includes("cloudflare:index/dnsRecord:DnsRecord"));
      assert.ok(!text.includes(CLOUDFLARE_TOKEN));
      assert.ok(!text.includes("ciphertext"), "the token lies in the state");
      await plugin.accept("newer");
      await put("newer");
      // A file is read for each run; variables come with a start.
      const later = "env" in reference() ? await start({ apiToken: reference() }) : first;
      assert.deepEqual((await later.drift(STACK, hooks)).differences, []);
      await later.destroy(STACK, hooks);
      assert.deepEqual(plugin.calls(), [`create ${CLOUDFLARE_TOKEN}`, "read newer", "delete newer"]);
    });
  }

  it("changes nothing in the next update", async () => {
    await plugin.accept(CLOUDFLARE_TOKEN);
    process.env[VARIABLE] = CLOUDFLARE_TOKEN;
    const reference = { env: VARIABLE };
    const first = await up(await start({ apiToken: reference }), reference);
    assert.equal(first.changes.create, 4);
    process.env[VARIABLE] = "newer";
    server.token = "newer";
    const second = await up(await start({ apiToken: reference }), reference);
    assert.deepEqual(second.changes, { same: 4 });
    assert.deepEqual(plugin.calls(), [`create ${CLOUDFLARE_TOKEN}`]);
  });

  it("that is nowhere to be read makes a destroy fail rather than look elsewhere", async () => {
    await plugin.accept(CLOUDFLARE_TOKEN);
    const file = join(folder, "lost");
    await writeFile(file, CLOUDFLARE_TOKEN);
    const driver = await start({ apiToken: { file } });
    await up(driver, { file });
    await rm(file);
    await assert.rejects(driver.destroy(STACK, hooks), /the vendor does not know this token/);
    assert.deepEqual(plugin.calls().slice(1), ["delete missing"]);
  });

  describe("of an AWS account", () => {
    beforeEach(async () => {
      plugin = await installTokenPlugin(join(folder, "plugins"), "aws", "AWS_SECRET_ACCESS_KEY");
      await plugin.accept("first");
    });

    const own = { accessKeyId: { env: `${VARIABLE}_ID` }, secretAccessKey: { env: VARIABLE } };
    const options = (credentials: Account["credentials"]): Account => ({ region: "eu-central-1", credentials });
    const upTo = async (driver: StackDriver, account: Account) => {
      const program = async () => {
        const provider = createAwsProvider("account", account, {});
        new LogGroup("log", { name: "log" }, { provider });
        return {};
      };
      await driver.up({ stack: STACK, program, refresh: false, mayBeNew: true, secrets: [] }, hooks);
    };

    it("lets a preview go", async () => {
      process.env[`${VARIABLE}_ID`] = "AKIDFIRST";
      process.env[VARIABLE] = "first";
      await upTo(await start(options(own)), options(own));
      const text = await state();
      assert.ok(!/AKIDFIRST|ciphertext/.test(text), "a key lies in the state");
      await plugin.accept("second");
      process.env[VARIABLE] = "second";
      await (await start(options(own))).destroy(STACK, hooks);
      assert.deepEqual(plugin.calls(), ["create first", "delete second"]);
    });

    it("is that of the machine where the target says so, and not what the backend has", async () => {
      plugin = await installTokenPlugin(join(folder, "plugins"), "aws", "AWS_ACCESS_KEY_ID");
      await plugin.accept("");
      process.env.AWS_ACCESS_KEY_ID = "the backend's";
      await upTo(await start({}), options("instance"));
      delete process.env.AWS_ACCESS_KEY_ID;
      assert.deepEqual(plugin.calls(), ["create "]);
    });
  });

  it("is a kubeconfig's text, and lets a preview go", async () => {
    plugin = await installTokenPlugin(join(folder, "plugins"), "kubernetes", "KUBECONFIG");
    const { options } = kubernetesService;
    const target = { kubeconfig: { env: VARIABLE } };
    await plugin.accept("first");
    process.env[VARIABLE] = "first";
    const program = async () => {
      const parent = new ComponentResource("test:Preview", "preview");
      const provider = createProvider("cluster", options.parse(target), parent);
      new core.v1.Namespace("namespace", {}, { provider });
      return {};
    };
    await (await start(target)).up({ stack: STACK, program, refresh: false, mayBeNew: true, secrets: [] }, hooks);
    assert.ok(!(await state()).includes("ciphertext"), "the kubeconfig lies in the state");
    await plugin.accept("second");
    process.env[VARIABLE] = "second";
    await (await start(target)).destroy(STACK, hooks);
    assert.deepEqual(plugin.calls(), ["create first", "delete second"]);
    assert.deepEqual(await readdir(join(folder, "runs")), []);
  });

  it("reaches the providers of a runner's engines", async () => {
    await plugin.accept(CLOUDFLARE_TOKEN);
    const file = join(folder, "token");
    await writeFile(file, CLOUDFLARE_TOKEN);
    const given = { zone: server.zoneId, apiToken: { file }, target: "gateway.acme.dev", apiUrl: server.url };
    const { target } = spec(STACK);
    const dns = { driver: "cloudflare", options: cloudflareDns.options.parse(given) };
    const wish = spec(STACK, [], { target: { ...target, dns } });
    const configured = { ...target, runs: "source" as const, dns };
    const environment = {
      ...engineEnvironment({ targets: [configured] }),
      PATH: [dirname(process.execPath), plugin.folder, process.env.PATH].join(delimiter),
    };
    const world = await createWorld({ environment });
    try {
      const runner = await world.runner();
      await runner.up({ spec: wish, secrets: {}, refresh: false, mayBeNew: true, lease: world.lease(STACK) });
      await plugin.accept("newer");
      await writeFile(file, "newer");
      await runner.destroy({ stack: STACK, lease: world.lease(STACK) });
    } finally {
      await world.remove();
    }
    assert.deepEqual(plugin.calls(), [`create ${CLOUDFLARE_TOKEN}`, "delete newer"]);
  });
});
