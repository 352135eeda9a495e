/**
 * Signs images as cosign does: simple signing under a tag (cosign 2), Sigstore bundles that refer to the image (cosign
 * 3). Who signs has a key, or a certificate of a CA and an entry of a log that the test's trusted root names: Sigstore's
 * own mock of both.
 */
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { initializeCA, initializeCTLog, initializeTLog } from "@sigstore/mock";
import type { TestRegistry } from "./registry.ts";

const SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json";
const SIGNED = "https://sigstore.dev/cosign/sign/v1";

export interface Image {
  readonly registry: TestRegistry;
  readonly repository: string;
  readonly digest: string;
}

export interface TestSigner {
  /** PEM; undefined for one without a key of their own. */
  readonly publicKey?: string;
  /** Simple signing; `says` is the digest that the payload names, where it is another. */
  simple(image: Image, options?: { readonly says?: string }): Promise<void>;
  /** A bundle that refers to the image. */
  bundle(image: Image, options?: { readonly says?: string; readonly predicateType?: string }): Promise<void>;
}

export function keySigner(): TestSigner {
  const { publicKey, privateKey } = keys();
  return {
    publicKey: pemOf(publicKey),
    simple: async (image, { says } = {}) =>
      attachSimple(image, { ...signedPayload(image, privateKey, says), more: {} }),
    async bundle(image, wish = {}) {
      const { envelope } = signedStatement(image, privateKey, wish);
      attachBundle(image, { publicKey: { hint: "" }, tlogEntries: [] }, envelope);
    },
  };
}

export interface TestSigstore {
  /** `trusted_root.json` of this CA and log. */
  readonly trustedRoot: unknown;
  /** Somebody with a certificate for the subject, vouched for by the issuer. */
  signer(who: {
    readonly subject: string;
    readonly issuer: string;
    /** The certificate stands in no log of certificates. */
    readonly unlisted?: true;
  }): Promise<TestSigner>;
}

export async function startSigstore(): Promise<TestSigstore> {
  const [authority, logKeys, entryKeys] = [keys("P-384"), keys(), keys()];
  const ctLog = await initializeCTLog(logKeys);
  const [ca, secretive] = await Promise.all([initializeCA(authority, ctLog), initializeCA(authority)]);
  const log = await initializeTLog("https://log.test", entryKeys);
  return {
    trustedRoot: {
      mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
      tlogs: [toLog("https://log.test", log.publicKey)],
      ctlogs: [toLog("https://ctlog.test", ctLog.publicKey)],
      certificateAuthorities: [
        {
          subject: { organization: "test", commonName: "test" },
          uri: "https://ca.test",
          certChain: { certificates: [{ rawBytes: base64(ca.rootCertificate) }] },
          validFor: { start: "2020-01-01T00:00:00Z" },
        },
      ],
      timestampAuthorities: [],
    },
    async signer({ subject, issuer, unlisted }) {
      const { publicKey, privateKey } = keys();
      const certificate = await (unlisted ? secretive : ca).issueCertificate({
        publicKey: Buffer.from(publicKey.export({ format: "der", type: "spki" })),
        subjectAltName: subject,
        extensions: [{ oid: "1.3.6.1.4.1.57264.1.8", value: issuer }],
      });
      const pem = `-----BEGIN CERTIFICATE-----\n${base64(certificate)}\n-----END CERTIFICATE-----\n`;
      const verifier = Buffer.from(pem).toString("base64");
      return {
        async simple(image, { says } = {}) {
          const made = signedPayload(image, privateKey, says);
          const entry = await enter(log, {
            apiVersion: "0.0.1",
            kind: "hashedrekord",
            spec: {
              data: { hash: { algorithm: "sha256", value: sha256(made.payload) } },
              signature: { content: made.signature, publicKey: { content: verifier } },
            },
          });
          const rekor = {
            SignedEntryTimestamp: entry.verification?.signedEntryTimestamp,
            Payload: {
              body: entry.body,
              integratedTime: entry.integratedTime,
              logIndex: entry.logIndex,
              logID: entry.logID,
            },
          };
          const more = { "dev.sigstore.cosign/certificate": pem, "dev.sigstore.cosign/bundle": JSON.stringify(rekor) };
          attachSimple(image, { ...made, more });
        },
        async bundle(image, wish = {}) {
          const { envelope, payload, signature } = signedStatement(image, privateKey, wish);
          const entry = await enter(log, {
            apiVersion: "0.0.1",
            kind: "dsse",
            spec: {
              envelopeHash: { algorithm: "sha256", value: sha256(Buffer.from(JSON.stringify(envelope))) },
              payloadHash: { algorithm: "sha256", value: sha256(payload) },
              signatures: [{ signature, verifier }],
            },
          });
          const proof = entry.verification?.inclusionProof;
          const tlogEntry = {
            logIndex: String(entry.logIndex),
            logId: { keyId: Buffer.from(entry.logID, "hex").toString("base64") },
            kindVersion: { kind: "dsse", version: "0.0.1" },
            integratedTime: String(entry.integratedTime),
            inclusionPromise: { signedEntryTimestamp: entry.verification?.signedEntryTimestamp },
            inclusionProof: {
              logIndex: String(proof?.logIndex),
              rootHash: Buffer.from(proof?.rootHash ?? "", "hex").toString("base64"),
              treeSize: String(proof?.treeSize),
              hashes: [],
              checkpoint: { envelope: proof?.checkpoint },
            },
            canonicalizedBody: entry.body,
          };
          attachBundle(image, { certificate: { rawBytes: base64(certificate) }, tlogEntries: [tlogEntry] }, envelope);
        },
      };
    },
  };
}

type Log = Awaited<ReturnType<typeof initializeTLog>>;

interface LogEntry {
  readonly body: string;
  readonly integratedTime: number;
  readonly logIndex: number;
  readonly logID: string;
  readonly verification?: {
    readonly signedEntryTimestamp?: string;
    readonly inclusionProof?: {
      readonly logIndex: number;
      readonly rootHash: string;
      readonly treeSize: number;
      readonly checkpoint: string;
    };
  };
}

async function enter(log: Log, proposed: object): Promise<LogEntry> {
  const [entry] = Object.values(await log.log(proposed)) as LogEntry[];
  if (!entry) throw new Error("the log made no entry");
  return entry;
}

function signedPayload({ registry, repository, digest }: Image, key: KeyObject, says = digest) {
  const payload = Buffer.from(
    JSON.stringify({
      critical: {
        identity: { "docker-reference": `${registry.host}/${repository}` },
        image: { "docker-manifest-digest": says },
        type: "cosign container image signature",
      },
      optional: null,
    }),
  );
  return { payload, signature: sign("sha256", payload, key).toString("base64") };
}

function signedStatement(
  { repository, digest }: Image,
  key: KeyObject,
  { says = digest, predicateType = SIGNED }: { readonly says?: string; readonly predicateType?: string },
) {
  const subject = [{ name: repository, digest: { sha256: says.replace("sha256:", "") } }];
  const statement = { _type: "https://in-toto.io/Statement/v1", subject, predicateType, predicate: {} };
  const payload = Buffer.from(JSON.stringify(statement));
  const payloadType = "application/vnd.in-toto+json";
  // DSSE's pre-authentication encoding.
  const encoded = Buffer.concat([
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `),
    payload,
  ]);
  const signature = sign("sha256", encoded, key).toString("base64");
  const envelope = { payloadType, payload: payload.toString("base64"), signatures: [{ sig: signature, keyid: "" }] };
  return { payload, signature, envelope };
}

/** What was there before stays, as cosign leaves it. */
const attached = new WeakMap<TestRegistry, Map<string, unknown[]>>();

function attachSimple(
  { registry, repository, digest }: Image,
  { payload, signature, more }: { payload: Buffer; signature: string; more: Readonly<Record<string, string>> },
): void {
  const all = attached.get(registry) ?? new Map<string, unknown[]>();
  attached.set(registry, all);
  const layers = all.get(digest) ?? [];
  all.set(digest, layers);
  layers.push({
    mediaType: SIMPLE,
    size: payload.length,
    digest: registry.putBlob(repository, payload),
    annotations: { "dev.cosignproject.cosign/signature": signature, ...more },
  });
  const manifest = { schemaVersion: 2, mediaType: MANIFEST, config: {}, layers };
  registry.put(repository, manifest, `${digest.replace(":", "-")}.sig`);
}

function attachBundle(
  { registry, repository, digest }: Image,
  verificationMaterial: unknown,
  dsseEnvelope: unknown,
): void {
  const content = JSON.stringify({ mediaType: BUNDLE, verificationMaterial, dsseEnvelope });
  const layers = [{ mediaType: BUNDLE, size: content.length, digest: registry.putBlob(repository, content) }];
  const subject = { mediaType: "application/vnd.oci.image.index.v1+json", digest, size: 1 };
  registry.put(repository, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    artifactType: BUNDLE,
    config: {},
    layers,
    subject,
  });
}

function toLog(baseUrl: string, publicKey: Buffer) {
  return {
    baseUrl,
    hashAlgorithm: "SHA2_256",
    publicKey: {
      rawBytes: publicKey.toString("base64"),
      keyDetails: "PKIX_ECDSA_P256_SHA_256",
      validFor: { start: "2020-01-01T00:00:00Z" },
    },
    logId: { keyId: createHash("sha256").update(publicKey).digest("base64") },
  };
}

function keys(namedCurve = "P-256") {
  return generateKeyPairSync("ec", { namedCurve });
}

function pemOf(key: KeyObject): string {
  return key.export({ format: "pem", type: "spki" }).toString();
}

function base64(bytes: ArrayBufferView): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
