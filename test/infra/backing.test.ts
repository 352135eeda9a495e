/** A preview's part of a server that previews share, by the program and the real engine. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Output, output } from "@pulumi/pulumi";
import { z } from "zod";
import type { ServiceArgs, ServiceComponent } from "../../components/ports.ts";
import { PreviewComponent } from "../../components/preview-component.ts";
import { registry as drivers } from "../../components/registry.ts";
import { loadDrivers, type Program, previewProgram } from "../../infra/program.ts";
import type { PreviewSpec } from "../../infra/spec.ts";
import { createEngineWorld } from "../components/local/engine-world.ts";
import { type RedisServer, redis, startRedis } from "../support/redis-server.ts";
import { requires } from "../support/requires.ts";
import { registry } from "./world/registry.ts";
import { spec } from "./world/world.ts";

const STACK = "shop-pr-1";
const URL_VARIABLE = "STACKLING_TEST_BACKING_URL";
let secrets: Readonly<Record<string, string>> = {};
let reached: readonly string[] = [];

class Services extends PreviewComponent implements ServiceComponent {
  readonly addresses: Output<Readonly<Record<string, string>>>;

  constructor(name: string, args: ServiceArgs) {
    super("stackling:service:Recording", name, {});
    output(args.egress?.direct ?? []).apply((direct) => {
      reached = direct;
    });
    const told = output(args.secrets ?? {}).apply((values): Readonly<Record<string, string>> => {
      secrets = values;
      return { web: "127.0.0.1:7" };
    });
    this.addresses = output(told);
    this.registerOutputs({});
  }
}

function wish(changes: Partial<PreviewSpec> = {}): PreviewSpec {
  const plain = spec(STACK, []);
  const sessions = { driver: "redis", options: { url: { env: URL_VARIABLE }, allow: [] } };
  return {
    ...plain,
    target: { ...plain.target, backing: { sessions } },
    backing: { cache: { from: "sessions", topics: [] } },
    egress: { hosts: [], trusted: [], direct: ["broker.acme.dev:9092"], enforced: true },
    ...changes,
  };
}

async function programOf(wished: PreviewSpec): Promise<Program> {
  const loaded = await loadDrivers({ ...registry, backing: drivers.backing }, wished.target);
  return previewProgram(wished, { ...loaded, service: { options: z.looseObject({}), component: Services } }, {});
}

describe("a preview with a part of a server that is shared", requires("engine", "redis"), () => {
  let server: RedisServer;
  let world: Awaited<ReturnType<typeof createEngineWorld>>;
  let program: Program;
  before(async () => {
    server = await startRedis();
    process.env[URL_VARIABLE] = server.url;
    world = await createEngineWorld(STACK, () => program());
    program = await programOf(wish());
  });
  after(async () => {
    await world?.close();
    delete process.env[URL_VARIABLE];
    await server?.stop();
  });

  const users = () => redis(server.url, (ask) => ask("ACL", "USERS"));

  it("gives its services what reaches it, encrypted in the state", async () => {
    await world.stack.up();
    const { EXTERNAL_CACHE_URL: url = "", EXTERNAL_CACHE_PASSWORD: password = "" } = secrets;
    assert.equal(secrets.EXTERNAL_CACHE_PREFIX, "shop-pr-1:");
    assert.equal(await redis(url, (ask) => ask("SET", "shop-pr-1:cart", "1")), "OK");
    assert.match(password, /^\S{32}$/);
    assert.deepEqual(reached, ["broker.acme.dev:9092", new URL(server.url).host]);
    const state = await readFile(join(world.dataDir, ".pulumi/stacks/stackling", `${STACK}.json`), "utf8");
    assert.equal(state.includes(password), false);
  });

  it("is left alone by an update that changes nothing of it", async () => {
    const before = secrets.EXTERNAL_CACHE_PASSWORD;
    const { summary } = await world.stack.up();
    assert.equal(summary.resourceChanges?.update, undefined);
    assert.equal(secrets.EXTERNAL_CACHE_PASSWORD, before);
  });

  it("is drift when somebody took its user away, and the next update gives it back", async () => {
    await redis(server.url, (ask) => ask("ACL", "DELUSER", "stackling-shop-pr-1"));
    await world.stack.refresh();
    await world.stack.up();
    assert.equal(await redis(secrets.EXTERNAL_CACHE_URL ?? "", (ask) => ask("PING")), "PONG");
  });

  it("gets another password when secrets are rotated, and keeps its data", async () => {
    const before = secrets.EXTERNAL_CACHE_URL ?? "";
    const { generations } = wish();
    program = await programOf(wish({ generations: { ...generations, secrets: generations.secrets + 1 } }));
    await world.stack.up();
    assert.equal(await redis(secrets.EXTERNAL_CACHE_URL ?? "", (ask) => ask("GET", "shop-pr-1:cart")), "1");
    await assert.rejects(
      redis(before, (ask) => ask("PING")),
      /WRONGPASS/,
    );
  });

  it("is one for all names that ask the same server, and is kept under another name", async () => {
    const sessions = { from: "sessions", topics: [] };
    program = await programOf(wish({ backing: { cache: sessions, carts: sessions } }));
    await world.stack.up();
    const { EXTERNAL_CACHE_URL: one = "", EXTERNAL_CARTS_URL: other = "" } = secrets;
    for (const url of [one, other]) assert.equal(await redis(url, (ask) => ask("GET", "shop-pr-1:cart")), "1");

    program = await programOf(wish({ backing: { baskets: sessions } }));
    await world.stack.up();
    const url = secrets.EXTERNAL_BASKETS_URL ?? "";
    assert.equal(await redis(url, (ask) => ask("GET", "shop-pr-1:cart")), "1");
  });

  it("can be used when the server is the same one by another address", async () => {
    const moved = `${URL_VARIABLE}_MOVED`;
    process.env[moved] = server.url.replace("127.0.0.1", "localhost");
    try {
      const { target } = wish();
      const sessions = { driver: "redis", options: { url: { env: moved }, allow: [] } };
      program = await programOf(wish({ target: { ...target, backing: { sessions } } }));
      await world.stack.up();
      assert.equal(await redis(secrets.EXTERNAL_CACHE_URL ?? "", (ask) => ask("PING")), "PONG");
      program = await programOf(wish());
      await world.stack.up();
    } finally {
      delete process.env[moved];
    }
  });

  it("refuses a stranger, and a server that the target has not", async () => {
    const refusals: readonly (readonly [Partial<PreviewSpec>, RegExp])[] = [
      [{ untrusted: { isolated: true } }, /a pull request that is not trusted gets none/],
      [{ backing: { cache: { from: "queue", topics: [] } } }, /the target has no backing "queue"/],
    ];
    for (const [changes, words] of refusals) {
      const refused = await programOf(wish(changes));
      await assert.rejects(refused(), words);
    }
  });

  it("leaves nothing when it is destroyed", async () => {
    await world.stack.destroy();
    assert.deepEqual(await users(), ["default"]);
    assert.equal(await redis(server.url, (ask) => ask("DBSIZE")), 0);
  });
});
