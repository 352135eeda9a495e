import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ensureWebhooks } from "../../../service/forges/ensure-webhooks.ts";
import type { ForgeFinding } from "../../../service/forges/forge.ts";
import { shop } from "../../support/reconcile-world.ts";

describe("seeing to webhooks at the start", () => {
  const run = async (forges: Readonly<Record<string, (path: string) => Promise<ForgeFinding>>>, broken?: Error) => {
    const said: string[] = [];
    const say = (level: string) => (_about: object, words?: string) => {
      said.push(`${level} ${words}`);
    };
    await ensureWebhooks({
      repositories: async () => {
        if (broken) throw broken;
        return ["one", "two", "none"].map((name) => ({ ...shop, name, path: `acme/${name}`, forge: name }));
      },
      forge: (name) => {
        const ensure = forges[name];
        return ensure ? { ensureWebhook: ({ path }) => ensure(path) } : {};
      },
      logger: { info: say("info"), warn: say("warn") },
    });
    return said;
  };

  it("says of each repository how it stands, and passes over forges that need none", async () => {
    const said = await run({
      one: async (path) => ({ ok: true, what: `made for ${path}` }),
      two: async (path) => ({ ok: false, what: `refused for ${path}`, remedy: "by hand" }),
    });
    assert.deepEqual(said, ["info made for acme/one", "warn refused for acme/two – by hand"]);
  });

  it("never rejects, whatever is away", async () => {
    assert.equal((await run({}, new Error("the store is away"))).length, 1);
    const failing = await run({ one: () => Promise.reject(new Error("no")) });
    assert.match(failing.join(), /^warn the webhooks could not be seen to/);
  });
});
