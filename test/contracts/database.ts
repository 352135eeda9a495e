import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { isSecret, type Output, runtime } from "@pulumi/pulumi";
import { withClient } from "../../components/local/database-client.ts";
import type { DatabaseDriver } from "../../components/ports.ts";
import { eventually } from "../support/eventually.ts";

/** A server the suite may make databases on, as the engine's provider would. */
export interface DatabaseWorld<O> {
  readonly options: O;
  make(stack: string): Promise<{ url: string }>;
  stop(): Promise<void>;
}

/** What every database driver must do: both halves, the component on Pulumi's mocks, the operations on the world. */
export function databaseContract<O>(subject: {
  readonly name: string;
  readonly load: () => Promise<DatabaseDriver<O>>;
  readonly world: () => Promise<DatabaseWorld<O>>;
  readonly skip: false | string;
  /** False for one that starts from none, and says so where one is named. */
  readonly baselines?: false;
  /** Options for a component that asks its vendor while it is declared; the example's where it asks nobody. */
  readonly options?: () => Promise<O>;
  /** Where it is not PostgreSQL's. */
  readonly url?: RegExp;
  /** What the provider knows of a child once it is made. */
  readonly made?: (child: runtime.MockResourceArgs) => Readonly<Record<string, unknown>>;
}): void {
  const {
    name,
    load,
    world,
    baselines = true,
    made: stateOf = () => ({ url: "postgres://role:word@host:1/name", identity: "one" }),
  } = subject;

  const declare = async (generation: number, baseline?: string) => {
    const driver = await load();
    const children: runtime.MockResourceArgs[] = [];
    await runtime.setMocks({
      call: () => ({}),
      newResource: (child) => {
        children.push(child);
        return { id: child.name, state: { ...child.inputs, ...stateOf(child) } };
      },
    });
    const example = driver.example();
    const options = (await subject.options?.()) ?? example.options;
    const tags = { preview: "shop-pr-1" };
    const args = { ...example, options, stack: "shop-pr-1", tags, generation, ...(baseline && { baseline }) };
    const component = new driver.component("shop", args);
    const outputs = { name: component.name, url: component.url, identity: component.identity, urn: component.urn };
    const values = await Promise.all(Object.values(outputs).map((output) => resolved(output)));
    const secrets = await Promise.all(Object.values(outputs).map((output) => isSecret(output)));
    await runtime.disconnect();
    return { children, values, secrets };
  };

  describe(`database driver "${name}"`, () => {
    it("parses its own example's options to the same options", async () => {
      const driver = await load();
      const { options } = driver.example();
      assert.deepEqual(driver.options.parse(options), options);
    });

    it("refuses options it does not know", async () => {
      const driver = await load();
      const options = { ...driver.example().options, nonsense: true };
      assert.equal(driver.options.safeParse(options).success, false);
    });

    it("resolves name, identity and a secret URL, of children named after the component", async () => {
      const { children, values, secrets } = await declare(0);
      const [found, url, identity] = values;
      for (const value of [found, identity]) assert.match(value ?? "", /./);
      assert.match(url ?? "", subject.url ?? /^postgres:\/\/[^:]+:[^@]+@[^/]+:\d+\/[^/]+$/);
      assert.deepEqual(secrets, [false, true, false, false]);
      assert.ok(children.some((child) => child.name === "shop"));
      for (const child of children) assert.match(child.name, /^shop(-|$)/);
    });

    it("passes generation and baseline on, so that a change of either makes it anew", async () => {
      const declared = new Set<string>();
      const wishes: readonly (readonly [number, string?])[] = [[0], [7], ...(baselines ? [[7, "main"] as const] : [])];
      for (const [generation, baseline] of wishes) {
        const { children } = await declare(generation, baseline);
        declared.add(JSON.stringify(children.filter(({ custom }) => custom).map(({ inputs }) => inputs)));
      }
      assert.equal(declared.size, wishes.length);
    });

    if (!baselines) {
      it("refuses a baseline, which it has no use for, by name", async () => {
        await assert.rejects(declare(0, "main"), /starts from no baseline, and the repository names "main"/);
      });
    }

    it("declares the same for the same wish", async () => {
      const wish: readonly [number, string?] = baselines ? [3, "main"] : [3];
      const [one, two] = [await declare(...wish), await declare(...wish)];
      assert.deepEqual(two.children, one.children);
    });

    describe("on the world", { skip: subject.skip }, () => {
      let ground: DatabaseWorld<O>;
      before(async () => {
        ground = await world();
      });
      after(() => ground?.stop());

      it("lists what exists by its stack, and removes it", async () => {
        const { operations } = await load();
        await ground.make("shop-pr-1");
        await ground.make("shop-pr-11");
        const owned = (await operations.owned?.(ground.options, "shop-pr-1")) ?? [];
        assert.ok(owned.length > 0);
        for (const thing of owned) {
          assert.equal(thing.stack, "shop-pr-1");
          assert.ok(operations.kinds?.includes(thing.kind), thing.kind);
        }
        for (const thing of owned) await operations.remove?.(ground.options, thing);
        assert.deepEqual(await operations.owned?.(ground.options, "shop-pr-1"), []);
        const rest = (await operations.owned?.(ground.options)) ?? [];
        assert.ok(rest.some(({ stack }) => stack === "shop-pr-11"));
        for (const thing of owned) await operations.remove?.(ground.options, thing);
      });

      it("explains in words what is missing, and says nothing of what is there", async () => {
        const { operations } = await load();
        await ground.make("shop-pr-2");
        assert.equal(await operations.explain?.({ options: ground.options, stack: "shop-pr-2" }), undefined);
        const missing = await operations.explain?.({ options: ground.options, stack: "shop-pr-3" });
        assert.match(missing ?? "", /\S+ \S+/);
      });

      it("tells what is taken and held by a stack alone, where it counts", async () => {
        const { operations } = await load();
        const of = (stack: string, held: boolean) => operations.usage?.({ options: ground.options, stack }, { held });
        const { url } = await ground.make("shop-pr-4");
        if (!operations.usage) return;
        await withClient(url, (client) => client.query("SELECT pg_sleep(0.2)"));
        const worked = await eventually(async () => {
          const found = await of("shop-pr-4", true);
          return found?.counters.some(({ hours }) => hours > 0) ? found : undefined;
        });
        assert.ok(worked.held.length > 0 && worked.held.every(({ gib }) => gib > 0));
        assert.deepEqual((await of("shop-pr-4", false))?.held, []);
        assert.deepEqual(await of("shop-pr-404", true), { counters: [], held: [] });
      });

      it("finds nothing wrong with a server that is there", async () => {
        const findings = (await (await load()).operations.check?.(ground.options)) ?? [];
        assert.ok(findings.length > 0);
        for (const { ok, what } of findings) assert.ok(ok, what);
      });
    });
  });
}

function resolved<T>(output: Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}
