/** What a spec of a stranger's pull request may not hold, whoever made it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeFromEngine } from "../../components/errors.ts";
import { loadDrivers, previewProgram } from "../../infra/program.ts";
import { specDigest } from "../../infra/spec.ts";
import { resolveSecrets } from "../../service/sources.ts";
import { registry } from "../infra/world/registry.ts";
import { spec } from "../infra/world/world.ts";
import { shop } from "../support/reconcile-world.ts";

process.env.STACKLING_TEST_GRANTED = "sk_live_of_the_operator";
const repository = { ...shop, secrets: { STRIPE_KEY: { env: "STACKLING_TEST_GRANTED" } } };
const repositories = { find: async () => repository, all: async () => [repository] };
const asking = { ...spec("shop-pr-1", []), grantedSecrets: ["STRIPE_KEY"] };
const strangers = { ...asking, untrusted: { isolated: true } };

describe("the spec of a pull request that is not trusted", () => {
  it("has no secret resolved for it, though it names one", async () => {
    assert.deepEqual(await resolveSecrets({ repositories }, asking), { STRIPE_KEY: "sk_live_of_the_operator" });
    assert.deepEqual(await resolveSecrets({ repositories }, strangers), {});
  });

  it("is refused by the program where it names one, also one that lies in the target's own store", async () => {
    const drivers = await loadDrivers(registry, strangers.target);
    for (const secrets of [drivers.secrets, { ...drivers.secrets, brings: "granted" as const }]) {
      const program = previewProgram(strangers, { ...drivers, secrets }, { STRIPE_KEY: "sk_live_of_the_operator" });
      await assert.rejects(program(), (error) => {
        const told = decodeFromEngine(String(error));
        assert.equal(told?.message, 'granting secret "STRIPE_KEY": a pull request that is not trusted gets none');
        return true;
      });
    }
  });

  it("is another wish than the same one of somebody who is trusted, or that is not kept apart", () => {
    const digests = [asking, strangers, { ...asking, untrusted: { isolated: false } }].map(specDigest);
    assert.equal(new Set(digests).size, 3);
  });

  it("asks for the same whoever approved it", () => {
    const approved = { sha: "a".repeat(40), by: "@ada", at: "2026-03-01T12:00:00.000Z" };
    const echoed = { ...strangers, intents: { keep: false, approved } };
    assert.equal(specDigest(echoed), specDigest(strangers));
  });
});
