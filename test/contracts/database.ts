import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { isSecret, type Output, runtime } from "@pulumi/pulumi";
import type { DatabaseDriver } from "../../components/ports.ts";

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
}): void {
  const { name, load, world } = subject;

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
      const driver = await load();
      const made: string[] = [];
      await runtime.setMocks({
        call: () => ({}),
        newResource: ({ name: child, inputs }) => {
          made.push(child);
          return { id: child, state: { ...inputs, url: "postgres://role:word@host:1/name", identity: "one" } };
        },
      });
      const component = new driver.component("shop", {
        ...driver.example(),
        stack: "shop-pr-1",
        tags: { preview: "shop-pr-1" },
      });
      assert.equal(await isSecret(component.url), true);
      assert.equal(await isSecret(component.name), false);
      assert.ok((await resolved(component.name)).length > 0);
      assert.equal(await resolved(component.identity), "one");
      await resolved(component.urn);
      assert.ok(made.includes("shop"));
      for (const child of made) assert.match(child, /^shop(-|$)/);
    });

    it("passes generation and baseline on, so that raising one makes it anew", async () => {
      const driver = await load();
      const inputs: Record<string, unknown>[] = [];
      await runtime.setMocks({
        call: () => ({}),
        newResource: (args) => {
          if (args.custom) inputs.push(args.inputs);
          return { id: args.name, state: args.inputs };
        },
      });
      const args = {
        ...driver.example(),
        stack: "shop-pr-1",
        tags: { preview: "shop-pr-1" },
        generation: 7,
        baseline: "main",
      };
      await resolved(new driver.component("shop", args).name);
      assert.ok(inputs.some(({ generation, baseline }) => generation === 7 && baseline === "main"));
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
        assert.ok(owned.some(({ kind }) => kind === "database"));
        for (const thing of owned) assert.equal(thing.stack, "shop-pr-1");
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
