import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { inspect } from "node:util";
import { runtime } from "@pulumi/pulumi";
import { StacklingError } from "../../../components/errors.ts";
import type { SecretDefinition } from "../../../components/ports.ts";
import { escSecrets, readGranted } from "../../../components/secrets/esc.ts";
import { ESC_TOKEN, type EscServer, escValue, startEscServer } from "../../support/esc-server.ts";

type Options = ReturnType<typeof escSecrets.example>["options"];

process.env.STACKLING_TEST_ESC = ESC_TOKEN;
process.env.STACKLING_TEST_ESC_WRONG = "another-token";

let server: EscServer;
before(async () => {
  const variables = { STRIPE_KEY: escValue("sk_test", true), PORT: escValue(3000), LIST: escValue([escValue(1)]) };
  server = await startEscServer({ environmentVariables: escValue(variables) });
});
after(() => server.close());

function optionsOf(more: Partial<Options> = {}): Options {
  const { options } = escSecrets.example();
  return { ...options, accessToken: { env: "STACKLING_TEST_ESC" }, apiUrl: server.url, ...more };
}

async function read(options: Options, secrets: readonly SecretDefinition[]) {
  await runtime.setMocks({
    call: () => ({}),
    newResource: ({ name, inputs }) => ({ id: name, state: { ...inputs, value: "made" } }),
  });
  const component = new escSecrets.component("secrets", { stack: "shop-pr-1", tags: {}, options, secrets });
  const values = await new Promise<Readonly<Record<string, string>>>((resolve) => component.values.apply(resolve));
  await runtime.disconnect();
  return values;
}

const granted = (name: string): SecretDefinition => ({ name, generation: 0, granted: true });

describe("secrets in Pulumi ESC", () => {
  it("are read from the opened environment, those that were granted and no others", async () => {
    const values = await read(optionsOf(), [granted("STRIPE_KEY"), granted("PORT"), { name: "OWN", generation: 0 }]);
    assert.deepEqual(values, { STRIPE_KEY: "sk_test", PORT: "3000", OWN: "made" });
  });

  it("are not asked for when none is granted", async () => {
    const calls = server.calls.length;
    assert.deepEqual(await read(optionsOf(), [{ name: "OWN", generation: 0 }]), { OWN: "made" });
    assert.equal(server.calls.length, calls);
  });

  const missing: readonly (readonly [string, () => Partial<Options>, string, RegExp])[] = [
    [
      "STRIPE",
      () => ({}),
      "SecretMissing",
      /granting the secret "STRIPE": .*no text at "environmentVariables\.STRIPE"/,
    ],
    ["LIST", () => ({}), "SecretMissing", /"environmentVariables\.LIST"/],
    ["toString", () => ({ property: "nothing" }), "SecretMissing", /"nothing\.toString"/],
    [
      "STRIPE_KEY",
      () => ({ environment: "acme/previews/none" }),
      "TargetInvalid",
      /"acme\/previews\/none": there is none/,
    ],
    [
      "STRIPE_KEY",
      () => ({ accessToken: { env: "STACKLING_TEST_ESC_WRONG" } }),
      "TargetForbidden",
      /token is refused$/,
    ],
    ["STRIPE_KEY", () => ({ accessToken: { env: "STACKLING_TEST_NONE" } }), "SecretMissing", /"STACKLING_TEST_NONE"/],
    ["STRIPE_KEY", () => ({ apiUrl: "http://127.0.0.1:1" }), "TargetUnreachable", /does not answer/],
  ];
  for (const [name, more, reason, words] of missing) {
    it(`fail with ${reason} for "${name}" and ${words}`, async () => {
      await assert.rejects(readGranted(optionsOf(more()), [name]), (error) => {
        assert.ok(error instanceof StacklingError);
        assert.equal(error.reason, reason);
        assert.match(error.message, words);
        assert.doesNotMatch(inspect(error, { depth: 10 }), /another-token|pul-secret/);
        return true;
      });
    });
  }

  it("are found by doctor without opening the environment", async () => {
    const calls = server.calls.length;
    const [finding] = (await escSecrets.operations.check?.(optionsOf())) ?? [];
    assert.deepEqual(finding, { ok: true, what: 'Pulumi ESC environment "acme/previews/shop" is reached' });
    assert.deepEqual(server.calls.slice(calls), ["GET /api/esc/environments/acme/previews/shop"]);
    const [wrong] = (await escSecrets.operations.check?.(optionsOf({ environment: "acme/x/y" }))) ?? [];
    assert.equal(wrong?.ok, false);
  });
});
