/** What a driver says of a database that is not the preview's own, in the program. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { type Input, type Output, output } from "@pulumi/pulumi";
import { z } from "zod";
import type { DatabaseArgs, DatabaseComponent, ServiceArgs, ServiceComponent } from "../../components/ports.ts";
import { PreviewComponent } from "../../components/preview-component.ts";
import {
  keepFromStrangers,
  loadDrivers,
  type Program,
  previewProgram,
  type TargetDrivers,
} from "../../infra/program.ts";
import { createEngineWorld } from "../components/local/engine-world.ts";
import { requires } from "../support/requires.ts";
import { registry } from "./world/registry.ts";
import { spec } from "./world/world.ts";

let tasks: readonly string[] = [];
let environments: readonly Readonly<Record<string, string>>[] = [];
let secrets: Readonly<Record<string, string>> = {};
let released: readonly unknown[] = [];

class Services extends PreviewComponent implements ServiceComponent {
  readonly addresses: Output<Readonly<Record<string, string>>>;

  constructor(name: string, args: ServiceArgs) {
    super("stackling:service:Recording", name, {});
    tasks = args.tasks.map((task) => task.name);
    environments = args.services.map(({ environment }) => environment);
    args.secrets?.apply((values) => {
      secrets = values;
    });
    this.addresses = output<Readonly<Record<string, string>>>({ web: "127.0.0.1:7" });
    this.registerOutputs({});
  }
}

class Database extends PreviewComponent implements DatabaseComponent {
  readonly name = output("development");
  readonly url = output("postgres://role:word@host:1/development");
  readonly identity = output("one");
  readonly environment = output<Readonly<Record<string, string>>>({ BRANCH_URL: "https://branch.example.dev" });

  constructor(name: string, _args: DatabaseArgs) {
    super("stackling:database:Recording", name, {});
    this.registerOutputs({});
  }

  released(service: ServiceComponent, version: Input<string>): void {
    released = [service instanceof Services, version];
  }
}

const options = z.looseObject({});
const step = (command: string) => ({ command, directory: "." });

async function programOf(
  driver: Partial<NonNullable<TargetDrivers["database"]>>,
  untrusted: boolean,
): Promise<Program> {
  const plain = spec("shop-pr-1", []);
  const wish = {
    ...plain,
    database: { migrate: step("migrate"), seed: step("seed") },
    target: { ...plain.target, database: { driver: "recording", options: {} } },
    ...(untrusted ? { untrusted: { isolated: true } } : {}),
  };
  const known = { ...registry, database: { recording: async () => ({ options, component: Database, ...driver }) } };
  const drivers = { ...(await loadDrivers(known, wish.target)), service: { options, component: Services } };
  return previewProgram(wish, drivers, {});
}

describe("the program of a preview with a database", requires("engine"), () => {
  let world: Awaited<ReturnType<typeof createEngineWorld>>;
  let program: Program;
  before(async () => {
    world = await createEngineWorld("shop-pr-1", () => program());
  });
  after(() => world.close());
  beforeEach(() => {
    tasks = [];
  });

  const declare = async (...wished: [Parameters<typeof programOf>[0], boolean?]) => {
    program = await programOf(wished[0], wished[1] ?? false);
    await world.stack.preview();
  };

  it("gives its services what its driver gives beside the URL, and nothing else of it", async () => {
    await declare({ gives: ["BRANCH_URL"] });
    assert.ok(environments.length > 0);
    for (const environment of environments) assert.equal(environment.BRANCH_URL, "${secrets.BRANCH_URL}");
    assert.equal(secrets.BRANCH_URL, "https://branch.example.dev");
    await declare({});
    for (const environment of environments) assert.equal(environment.BRANCH_URL, undefined);
    assert.equal(secrets.BRANCH_URL, undefined);
  });

  it("tells its database when a commit is released, for what comes after migrations", async () => {
    await declare({});
    assert.deepEqual(released, [true, `${spec("shop-pr-1", []).source.commit} 0`]);
  });

  it("runs every command on one of the preview's own", async () => {
    await declare({});
    assert.deepEqual(tasks, ["migrate", "seed"]);
  });

  it("runs on one of many what its driver allows, and nothing else", async () => {
    await declare({ shares: () => ["migrate"] });
    assert.deepEqual(tasks, ["migrate"]);
    await declare({ shares: () => [] });
    assert.deepEqual(tasks, []);
  });

  it("gives a pull request that is not trusted none that holds data of others", async () => {
    await declare({}, true);
    assert.deepEqual(tasks, ["migrate", "seed"]);
    const wish = { ...spec("shop-pr-1", []), untrusted: { isolated: true } };
    const { untrusted: _stranger, ...trusted } = wish;
    assert.throws(() => keepFromStrangers(wish, { trustedOnly: true }), /a pull request that is not trusted gets none/);
    keepFromStrangers(wish, {});
    keepFromStrangers(trusted, { trustedOnly: true });
  });
});
