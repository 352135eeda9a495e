import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseOperator } from "../../../service/config/operator.ts";

const parse = (text: string) =>
  parseOperator(`${text}\nrepositories: [{path: a}]\n`, {
    file: "stackling.yaml",
    directory: "/etc/stackling",
    dataDir: "/var/lib/stackling",
  });

describe("what stackling.yaml says of engines and replicas", () => {
  it("takes a backend as it is, or where it lies when it holds a password", async () => {
    assert.equal((await parse("backend: s3://state?region=eu-central-1")).backend, "s3://state?region=eu-central-1");
    const { backend, backendReference } = await parse("backend: {file: state.url}");
    assert.deepEqual([backend, backendReference], [undefined, { file: "/etc/stackling/state.url" }]);
  });

  it("takes token, log, key and variables of engines", async () => {
    const config = await parse(
      "token: {file: token}\nlog: stderr\nsecretsProvider: awskms://alias/stackling?region=eu-central-1\nengineEnvironment: [AWS_PROFILE]",
    );
    assert.deepEqual(config.token, { file: "/etc/stackling/token" });
    assert.equal(config.log, "stderr");
    assert.equal(config.secretsProvider, "awskms://alias/stackling?region=eu-central-1");
    assert.deepEqual(config.engineEnvironment, ["AWS_PROFILE"]);
  });

  it("leaves all of them out where the file does", async () => {
    const { backend, backendReference, token, log, secretsProvider, engineEnvironment } = await parse("");
    const given = [backend, backendReference, token, log, secretsProvider, engineEnvironment];
    assert.ok(given.every((value) => value === undefined));
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ["secretsProvider: kms", /secretsProvider.*must be "passphrase", "default" or an address such as "awskms:/],
    ["engineEnvironment: [KEY=value]", /engineEnvironment.*must be the name of an environment variable/],
    ["log: syslog", /log/],
    ["token: hush", /token/],
  ];
  for (const [text, message] of wrong) {
    it(`refuses "${text}"`, async () => {
      await assert.rejects(parse(text), message);
    });
  }
});
