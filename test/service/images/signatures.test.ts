/** Whose signature an image bears: real signatures in a real registry, by key and by certificate. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { SignatureRule } from "../../../service/config/signatures.ts";
import { configuredRegistry, configuredSignatures } from "../../../service/images/configured.ts";
import type { SignatureRead } from "../../../service/images/signatures.ts";
import { startRegistry, type TestRegistry } from "../../support/registry.ts";
import { type Image, keySigner, startSigstore, type TestSigner, type TestSigstore } from "../../support/signing.ts";

const ISSUER = "https://token.actions.githubusercontent.com";
const WORKFLOW = "https://github.com/acme/shop/.github/workflows/build.yml@refs/heads/main";

describe("an image's signature", () => {
  let folder: string;
  let sigstore: TestSigstore;
  let trustedRoot: string;
  let registry: TestRegistry;
  let image: Image;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-signatures-"));
    sigstore = await startSigstore();
    trustedRoot = join(folder, "trusted_root.json");
    await writeFile(trustedRoot, JSON.stringify(sigstore.trustedRoot));
  });
  after(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    registry = await startRegistry();
    image = { registry, repository: "acme/shop", digest: registry.push("acme/shop", "1") };
  });
  afterEach(() => registry.close());

  const check = (...signatures: SignatureRule[]): Promise<SignatureRead> => {
    const found = configuredSignatures({ credentials: {}, signatures }, { dataDir: folder });
    assert.ok(found);
    return found.check({ host: registry.host, repository: "acme/shop", tag: "1" }, image.digest);
  };
  const byKey = async ({ publicKey = "" }: TestSigner, more: { images?: string[]; transparencyLog?: boolean } = {}) => {
    const file = join(folder, "cosign.pub");
    await writeFile(file, publicKey);
    const { images, transparencyLog = false } = more;
    const signer = { kind: "key", key: { file }, transparencyLog, trustedRoot } as const;
    return { ...(images ? { images } : {}), signer } satisfies SignatureRule;
  };
  const byIdentity = (identity = WORKFLOW, issuer = ISSUER): SignatureRule => ({
    signer: { kind: "identity", identity, issuer, trustedRoot },
  });
  const ci = () => sigstore.signer({ subject: WORKFLOW, issuer: ISSUER });
  const refusal = async (...rules: SignatureRule[]) => {
    const read = await check(...rules);
    assert.equal(read.kind, "unsigned", JSON.stringify(read));
    return read.message.replaceAll(folder, "");
  };

  for (const way of ["simple", "bundle"] as const) {
    describe(way === "simple" ? "under a tag" : "as a bundle that refers to it", () => {
      it("is accepted by the key that it is to be by", async () => {
        const signer = keySigner();
        await signer[way](image);
        assert.deepEqual(await check(await byKey(signer)), { kind: "signed" });
      });

      it("is refused where another key made it", async () => {
        await keySigner()[way](image);
        assert.match(
          await refusal(await byKey(keySigner())),
          /it must be signed by the key in "\/cosign.pub", and is not: /,
        );
      });

      it("is refused where it says another image's digest", async () => {
        const signer = keySigner();
        await signer[way](image, { says: `sha256:${"0".repeat(64)}` });
        assert.match(await refusal(await byKey(signer)), /one is of another image$/);
      });

      it("is accepted without a key by the workflow that it is to be by", async () => {
        await (await ci())[way](image);
        assert.deepEqual(await check(byIdentity()), { kind: "signed" });
        assert.deepEqual(await check(byIdentity(WORKFLOW.replace("heads/main", "*"))), { kind: "signed" });
      });

      it("is refused by another workflow, and says by which", async () => {
        const subject = WORKFLOW.replace("acme/shop", "mallory/shop");
        await (await sigstore.signer({ subject, issuer: ISSUER }))[way](image);
        assert.equal(
          await refusal(byIdentity()),
          `it must be signed by "${WORKFLOW}" (token.actions.githubusercontent.com), and is not: one is by "${subject}" (${ISSUER})`,
        );
      });

      it("is refused where somebody else vouches for the subject", async () => {
        await (await sigstore.signer({ subject: WORKFLOW, issuer: "https://issuer.test" }))[way](image);
        assert.match(await refusal(byIdentity()), /\(https:\/\/issuer.test\)$/);
      });

      it("is refused by who only begins or ends as the workflow is named", async () => {
        for (const subject of [`${WORKFLOW}-2`, `https://mallory.test/?${WORKFLOW}`]) {
          await (await sigstore.signer({ subject, issuer: ISSUER }))[way](image);
        }
        assert.match(await refusal(byIdentity()), /build\.yml@refs\/heads\/main-2".*; one is by "https:\/\/mallory/);
      });

      it("is refused where nobody could have seen that the certificate was given", async () => {
        await (await sigstore.signer({ subject: WORKFLOW, issuer: ISSUER, unlisted: true }))[way](image);
        assert.match(await refusal(byIdentity()), /damaged, forged/);
      });

      it("is refused where another CA gave the certificate", async () => {
        const other = await startSigstore();
        await (await other.signer({ subject: WORKFLOW, issuer: ISSUER }))[way](image);
        assert.match(await refusal(byIdentity()), /damaged, forged/);
      });

      it("is refused by a key where a certificate is asked for, and the other way round", async () => {
        const signer = keySigner();
        await signer[way](image);
        assert.match(await refusal(byIdentity()), /one is made with a key/);
        await (await ci())[way](image);
        assert.deepEqual(await check(await byKey(signer)), { kind: "signed" });
        assert.deepEqual(await check(byIdentity()), { kind: "signed" });
      });
    });
  }

  it("is accepted when the fourth of several is the right one", async () => {
    const signer = keySigner();
    for (const other of [keySigner(), keySigner(), await ci()]) await other.simple(image);
    await signer.simple(image);
    assert.deepEqual(await check(await byKey(signer)), { kind: "signed" });
  });

  it("is enough when one of two signers made it", async () => {
    await (await ci()).bundle(image);
    assert.deepEqual(await check(await byKey(keySigner()), byIdentity()), { kind: "signed" });
  });

  it("is asked for where a rule names the image, and of no other", async () => {
    const elsewhere = { images: [`${registry.host}/acme/other`] };
    assert.deepEqual(await check(await byKey(keySigner(), elsewhere)), { kind: "signed" });
    assert.match(
      await refusal(await byKey(keySigner(), { images: [`${registry.host}/acme`] })),
      /, and is not signed$/,
    );
  });

  it("is no signature when it states something else, such as what the image holds", async () => {
    const signer = keySigner();
    await signer.bundle(image, { predicateType: "https://spdx.dev/Document" });
    assert.match(await refusal(await byKey(signer)), /one is a statement of another kind$/);
  });

  it("counts as provenance of the build too", async () => {
    await (await ci()).bundle(image, { predicateType: "https://slsa.dev/provenance/v1" });
    assert.deepEqual(await check(byIdentity()), { kind: "signed" });
  });

  it("by a key must stand in the log only where that is asked for", async () => {
    const signer = keySigner();
    await signer.simple(image);
    assert.match(await refusal(await byKey(signer, { transparencyLog: true })), /and is not: /);
  });

  it("is not missed where the registry knows no referrers but the fallback tag", async () => {
    const signer = keySigner();
    await signer.bundle(image);
    const listed = await fetch(`http://${registry.host}/v2/acme/shop/referrers/${image.digest}`);
    registry.put("acme/shop", await listed.json(), image.digest.replace(":", "-"));
    registry.instead = ({ url }, response) => {
      if (!url?.includes("/referrers/")) return false;
      response.writeHead(404).end();
      return true;
    };
    assert.deepEqual(await check(await byKey(signer)), { kind: "signed" });
  });

  it("is not known while the registry does not answer, which is no refusal", async () => {
    registry.instead = (_request, response) => {
      response.writeHead(503).end();
      return true;
    };
    assert.equal((await check(await byKey(keySigner()))).kind, "unavailable");
  });

  it("is not known while the key or the trusted root cannot be read, and says which", async () => {
    await (await ci()).bundle(image);
    const missing = join(folder, "nowhere");
    const key = await check({ signer: { kind: "key", key: { file: missing }, transparencyLog: false } });
    assert.deepEqual(key, { kind: "unavailable", message: `reading a secret: file "${missing}" cannot be read` });
    const root = await check({
      signer: { kind: "identity", identity: WORKFLOW, issuer: ISSUER, trustedRoot: missing },
    });
    assert.deepEqual(root, { kind: "unavailable", message: `the trusted root "${missing}" cannot be read` });
  });

  it("of hostile making is refused, in our own words", async () => {
    const layers = ["{", "[]", '{"mediaType":"x"}', "\u001b[31m"].map((text) => ({
      mediaType: "application/vnd.dev.cosign.simplesigning.v1+json",
      digest: registry.putBlob("acme/shop", text),
      size: text.length,
      annotations: { "dev.cosignproject.cosign/signature": text, "dev.sigstore.cosign/bundle": text },
    }));
    const manifest = { schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", layers };
    registry.put("acme/shop", manifest, `${image.digest.replace(":", "-")}.sig`);
    assert.match(
      await refusal(byIdentity()),
      /and is not: one signature is damaged, forged, or made in a way that is not known here|one is made with a key/,
    );
  });

  it("is read with the credentials of its registry", async () => {
    await registry.close();
    const user = { username: "bot", password: "sesame" };
    registry = await startRegistry({ auth: "token", user });
    image = { registry, repository: "acme/shop", digest: registry.push("acme/shop", "1") };
    const signer = keySigner();
    await signer.simple(image);
    process.env.STACKLING_TEST_REGISTRY = user.password;
    const credentials = { [registry.host]: { username: user.username, password: { env: "STACKLING_TEST_REGISTRY" } } };
    const signatures = [await byKey(signer)];
    const read = configuredSignatures({ credentials, signatures }, { dataDir: folder });
    assert.deepEqual(await read?.check({ host: registry.host, repository: "acme/shop" }, image.digest), {
      kind: "signed",
    });
    assert.match(await refusal(...signatures), /its registry denies the look for signatures$/);
    assert.ok(configuredRegistry({ credentials }));
  });
});
