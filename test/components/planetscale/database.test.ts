import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { isSecret, type Output, output, runtime } from "@pulumi/pulumi";
import { planetscaleDatabase } from "../../../components/database/planetscale.ts";
import type { DatabaseArgs, ServiceComponent } from "../../../components/ports.ts";
import { PreviewComponent } from "../../../components/preview-component.ts";
import {
  aBranch,
  aPassword,
  PLANETSCALE_ACCOUNT,
  type PlanetscaleServer,
  startPlanetscaleServer,
} from "../../support/planetscale-server.ts";

type Options = ReturnType<typeof planetscaleDatabase.example>["options"];

let server: PlanetscaleServer;
before(async () => {
  server = await startPlanetscaleServer();
});
after(() => server.close());

class Services extends PreviewComponent implements ServiceComponent {
  readonly addresses = output<Readonly<Record<string, string>>>({});

  constructor(name: string) {
    super("stackling:service:Recording", name, {});
    this.registerOutputs();
  }
}

interface Wish extends Partial<Pick<DatabaseArgs, "generation" | "baseline" | "rotation">> {
  readonly options?: Partial<Options>;
  readonly preview?: boolean;
}

async function declare({ options, preview = false, generation = 0, ...wish }: Wish = {}) {
  const children: runtime.MockResourceArgs[] = [];
  await runtime.setMocks(
    {
      call: () => ({}),
      newResource: (child) => {
        children.push(child);
        return { id: `${child.name}-id`, state: { ...child.inputs, url: "mysql://user:word@host:3306/shop" } };
      },
    },
    "project",
    "stack",
    preview,
  );
  const given = { ...planetscaleDatabase.example().options, ...PLANETSCALE_ACCOUNT, apiUrl: server.url, ...options };
  const component = new planetscaleDatabase.component("database", {
    stack: "shop-pr-1",
    tags: {},
    options: given,
    generation,
    ...wish,
  });
  component.released?.(new Services("service"), "a commit");
  const urns = await Promise.all([component.urn, component.name, component.url, component.identity].map(resolved));
  const secret = await isSecret(component.url);
  await runtime.disconnect();
  const of = (type: string) => children.find((child) => child.type === `stackling:local:Planetscale${type}`)?.inputs;
  return { children, urns, secret, of };
}

describe("a preview with a branch at PlanetScale", () => {
  it("gets a branch of the parent's schema, and a password of its own on it", async () => {
    const { of, urns, secret } = await declare();
    const account = { ...PLANETSCALE_ACCOUNT, apiUrl: server.url };
    assert.deepEqual(of("Branch"), { account, name: "stackling-0-none-shop-pr-1", from: "main", withData: false });
    assert.deepEqual(
      { ...of("Password"), url: undefined },
      {
        account,
        branch: "stackling-0-none-shop-pr-1",
        name: "stackling-admin-0",
        role: "admin",
        urlParameters: 'ssl={"rejectUnauthorized":true}',
        url: undefined,
      },
    );
    assert.deepEqual(urns.slice(1), ["shop", "mysql://user:word@host:3306/shop", "database-branch-id"]);
    assert.equal(secret, true);
  });

  it("holds no credential of PlanetScale in what the state keeps", async () => {
    const { children } = await declare();
    assert.doesNotMatch(JSON.stringify(children), /pscale_tkn|tok123/);
  });

  it("starts from a baseline's branch with its rows, under a name of its own", async () => {
    const baselines = { "main-2": { branch: "masked", withData: true } };
    const { of } = await declare({ baseline: "main-2", options: { baselines } });
    assert.equal(of("Branch")?.from, "masked");
    assert.equal(of("Branch")?.withData, true);
    assert.match(String(of("Branch")?.name), /^stackling-0-[0-9a-f]{6}-shop-pr-1$/);
  });

  it("says which baseline is missing", async () => {
    await assert.rejects(declare({ baseline: "other" }), /baseline "other" does not exist; name it among/);
    await runtime.disconnect();
  });

  it("gets another password and no other branch by a rotation", async () => {
    const [one, two] = [await declare(), await declare({ rotation: 1 })];
    assert.deepEqual(two.of("Branch"), one.of("Branch"));
    assert.equal(two.of("Password")?.name, "stackling-admin-1");
  });

  it("opens a deploy request behind its services, where that is wanted", async () => {
    assert.equal((await declare()).of("DeployRequest"), undefined);
    const { of } = await declare({ options: { deployInto: "main" } });
    assert.partialDeepStrictEqual(of("DeployRequest"), {
      branch: "stackling-0-none-shop-pr-1",
      into: "main",
      version: "a commit",
    });
  });

  it("has a whole day on its password after each update, and none is asked of a preview of one", async () => {
    const branch = aBranch({ name: "stackling-0-none-shop-pr-1" });
    const soon = new Date(Date.now() + 60_000).toISOString();
    const password = aPassword(branch.name, { expires_at: soon });
    server.branches.push(branch);
    server.passwords.push(password);
    await declare({ preview: true });
    assert.equal(password.expires_at, soon);
    await declare();
    assert.ok(Date.parse(password.expires_at) > Date.now() + 23 * 3_600_000);
  });
});

function resolved<T>(value: Output<T>): Promise<T> {
  return new Promise((resolve) => value.apply(resolve));
}
