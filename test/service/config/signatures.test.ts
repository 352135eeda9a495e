import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseOperator } from "../../../service/config/operator.ts";

const at = { file: "stackling.yaml", directory: "/etc/stackling", dataDir: "/var/lib/stackling" };
const config = (signatures: string) => `images:\n  signatures:\n${signatures}\nrepositories: [{path: a}]\n`;

describe("images.signatures", () => {
  it("names signers by key and by identity, files where the config lies", async () => {
    const text = [
      "    - {key: {file: cosign.pub}, images: [ghcr.io/acme]}",
      "    - identity: https://github.com/acme/shop/.github/workflows/build.yml@refs/heads/*",
      "      issuer: https://token.actions.githubusercontent.com",
      "      trustedRoot: root.json",
    ];
    const { images } = await parseOperator(config(text.join("\n")), at);
    assert.deepEqual(images.signatures, [
      {
        images: ["ghcr.io/acme"],
        signer: { kind: "key", key: { file: "/etc/stackling/cosign.pub" }, transparencyLog: false },
      },
      {
        signer: {
          kind: "identity",
          identity: "https://github.com/acme/shop/.github/workflows/build.yml@refs/heads/*",
          issuer: "https://token.actions.githubusercontent.com",
          trustedRoot: "/etc/stackling/root.json",
        },
      },
    ]);
  });

  it("refuses an identity that nobody vouches for", async () => {
    await assert.rejects(
      parseOperator(config("    - {identity: ada@acme.dev}"), at),
      /stackling\.yaml:3: .*signatures/,
    );
  });
});
