/** The only file that knows Sigstore's packages: what a signature says, and whether it is whose it is to be. */
import { createHash, createPublicKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Bundle, bundleFromJSON, toMessageSignatureBundle } from "@sigstore/bundle";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { getTrustedRoot } from "@sigstore/tuf";
import { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
import { z } from "zod";
import { StacklingError } from "../../components/errors.ts";
import type { Signer } from "../config/signatures.ts";
import { resolveSecret } from "../secret-reference.ts";
import type { Claim } from "./signature-claims.ts";

export type Judgement =
  | { readonly kind: "accepted" }
  /** `why`: a clause for people, nothing of it in a stranger's words but names in quotes. */
  | { readonly kind: "refused"; readonly why: string };

/** What a signer's claims are checked with, read once for all of them. Never rejects. */
export type ReadTrust = (signer: Signer) => Promise<TrustRead>;

export type TrustRead =
  | {
      readonly kind: "read";
      /** Whether a claim is this signer's, about the image with this digest. */
      judge(claim: Claim, digest: string): Judgement;
    }
  | { readonly kind: "unavailable"; readonly message: string };

/** What says "I signed this image" or "I built it"; other statements (an SBOM, a scan) say neither. */
const PREDICATES: ReadonlySet<string> = new Set([
  "https://sigstore.dev/cosign/sign/v1",
  "https://cosign.sigstore.dev/attestation/v1",
  "https://slsa.dev/provenance/v1",
  "https://slsa.dev/provenance/v0.2",
]);
const ROOT_KEPT_MS = 6 * 3_600_000;
const FETCH = { timeout: 10_000, retry: { retries: 1 } };

const simpleSigning = z.object({
  critical: z.object({
    image: z.object({ "docker-manifest-digest": z.string() }),
    type: z.literal("cosign container image signature"),
  }),
});
const statement = z.object({
  predicateType: z.string(),
  subject: z.array(z.object({ digest: z.object({ sha256: z.string().optional() }) })),
});
const rekorEntry = z.object({
  SignedEntryTimestamp: z.string(),
  Payload: z.object({ body: z.string(), integratedTime: z.number(), logIndex: z.number(), logID: z.string() }),
});
const rekorBody = z.object({ kind: z.string(), apiVersion: z.string() });

/** @param cacheDir absolute; where TUF keeps what it knows of the public Sigstore */
export function createTrust({ cacheDir, now }: { readonly cacheDir: string; readonly now: () => Date }): ReadTrust {
  let known: { readonly root: TrustedRoot; readonly atMs: number } | undefined;
  const publicRoot = async (): Promise<TrustedRoot> => {
    if (known && now().getTime() - known.atMs < ROOT_KEPT_MS) return known.root;
    const cachePath = join(cacheDir, "sigstore");
    // While it cannot be renewed, what was fetched before holds until its own end.
    const root = await getTrustedRoot({ cachePath, ...FETCH }).catch(() =>
      getTrustedRoot({ cachePath, forceCache: true, ...FETCH }),
    );
    known = { root, atMs: now().getTime() };
    return root;
  };
  const rootOf = async ({ trustedRoot }: Signer): Promise<TrustedRoot> => {
    if (trustedRoot === undefined) return publicRoot();
    return TrustedRoot.fromJSON(JSON.parse(await readFile(trustedRoot, "utf8")));
  };
  return async (signer) => {
    const needsRoot = signer.kind === "identity" || signer.transparencyLog;
    let trust: Trust;
    try {
      trust = { root: needsRoot ? await rootOf(signer) : NOTHING, key: await keyOf(signer) };
    } catch (error) {
      return { kind: "unavailable", message: trustWords(error, signer) };
    }
    return {
      kind: "read",
      judge: (claim, digest) => {
        try {
          return judge(read(claim), { signer, digest, ...trust });
        } catch {
          // What hostile input does to a parser is told in our words, not in its own.
          return { kind: "refused", why: "one signature is damaged, forged, or made in a way that is not known here" };
        }
      },
    };
  };
}

interface Trust {
  readonly root: TrustedRoot;
  /** PEM. */
  readonly key: string | undefined;
}

const NOTHING: TrustedRoot = TrustedRoot.fromJSON({});

interface Read {
  readonly bundle: Bundle;
  /** What was signed, where the bundle holds its digest alone. */
  readonly payload?: Buffer;
}

function judge(
  { bundle, payload }: Read,
  { signer, digest, root, key }: Trust & { readonly signer: Signer; readonly digest: string },
): Judgement {
  const whole = toSignedEntity(bundle, payload);
  const isByKey = whole.key.$case === "public-key";
  if (signer.kind === "key" && !isByKey) return { kind: "refused", why: "one is made without a key" };
  if (signer.kind === "identity" && isByKey) return { kind: "refused", why: "one is made with a key" };
  const logged = signer.kind === "identity" || signer.transparencyLog;
  const material = toTrustMaterial(root, () => ({ publicKey: createPublicKey(key ?? ""), validFor: () => true }));
  const verifier = new Verifier(material, {
    tlogThreshold: logged ? 1 : 0,
    timestampThreshold: signer.kind === "identity" ? 1 : 0,
    ctlogThreshold: signer.kind === "identity" ? 1 : 0,
  });
  const identity = verifier.verify(logged ? whole : { ...whole, tlogEntries: [], timestamps: [] }).identity;
  if (signer.kind === "identity") {
    const { subjectAlternativeName: subject = "", extensions } = identity ?? {};
    if (!matches(signer.identity, subject) || extensions?.issuer !== signer.issuer) {
      return { kind: "refused", why: `one is by "${shown(subject)}" (${shown(extensions?.issuer ?? "no issuer")})` };
    }
  }
  const about = aboutOf(bundle, payload);
  if (about === "other") return { kind: "refused", why: "one is a statement of another kind" };
  return about.includes(digest) ? { kind: "accepted" } : { kind: "refused", why: "one is of another image" };
}

/** Digests of the images that it signs. */
function aboutOf({ content }: Bundle, payload: Buffer | undefined): readonly string[] | "other" {
  if (content.$case === "messageSignature") {
    const { data } = simpleSigning.safeParse(JSON.parse(payload?.toString("utf8") ?? "null"));
    return data ? [data.critical.image["docker-manifest-digest"]] : "other";
  }
  const { payloadType, payload: signed } = content.dsseEnvelope;
  if (payloadType !== "application/vnd.in-toto+json") return "other";
  const { data } = statement.safeParse(JSON.parse(signed.toString("utf8")));
  if (!data || !PREDICATES.has(data.predicateType)) return "other";
  return data.subject.flatMap(({ digest }) => (digest.sha256 ? [`sha256:${digest.sha256}`] : []));
}

function read(claim: Claim): Read {
  if (claim.kind === "bundle") return { bundle: bundleFromJSON(JSON.parse(claim.json)) };
  const { payload, signature, certificate, rekor } = claim;
  const bundle = toMessageSignatureBundle({
    digest: createHash("sha256").update(payload).digest(),
    signature: Buffer.from(signature, "base64"),
    ...(certificate ? { certificate: derOf(certificate), certificateChain: true } : { keyHint: "" }),
  });
  if (rekor) bundle.verificationMaterial.tlogEntries = [toLogEntry(rekor)];
  return { bundle, payload };
}

/** Rekor's answer as cosign keeps it, in the words of Sigstore's bundles. */
function toLogEntry(text: string) {
  const { SignedEntryTimestamp, Payload } = rekorEntry.parse(JSON.parse(text));
  const canonicalizedBody = Buffer.from(Payload.body, "base64");
  const { kind, apiVersion: version } = rekorBody.parse(JSON.parse(canonicalizedBody.toString("utf8")));
  return {
    logIndex: String(Payload.logIndex),
    logId: { keyId: Buffer.from(Payload.logID, "hex") },
    kindVersion: { kind, version },
    integratedTime: String(Payload.integratedTime),
    inclusionPromise: { signedEntryTimestamp: Buffer.from(SignedEntryTimestamp, "base64") },
    inclusionProof: undefined,
    canonicalizedBody,
  };
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[A-Z ]+-----/g, ""), "base64");
}

async function keyOf(signer: Signer): Promise<string | undefined> {
  if (signer.kind !== "key") return undefined;
  const pem = await resolveSecret(signer.key);
  const { asymmetricKeyType } = createPublicKey(pem);
  if (asymmetricKeyType === "ec" || asymmetricKeyType === "rsa" || asymmetricKeyType === "ed25519") return pem;
  throw new StacklingError({
    reason: "SecretMissing",
    userMessage: `a key of kind "${asymmetricKeyType}" signs no images`,
  });
}

/** `*` stands for any text. */
function matches(pattern: string, text: string): boolean {
  const source = pattern
    .split("*")
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"))
    .join(".*");
  return new RegExp(`^(?:${source})$`, "s").test(text);
}

/** A stranger may have chosen it: short, and nothing that moves a cursor. */
function shown(text: string): string {
  return text
    .replace(/[^\x20-\x7e]/g, "?")
    .replaceAll('"', "'")
    .slice(0, 200);
}

function trustWords(error: unknown, { trustedRoot, ...signer }: Signer): string {
  if (error instanceof StacklingError) return error.userMessage;
  if (trustedRoot !== undefined) return `the trusted root "${trustedRoot}" cannot be read`;
  if (signer.kind === "key" && !signer.transparencyLog)
    return "the public key that signatures are to be checked with is none in PEM";
  return "Sigstore's trusted root cannot be fetched; `trustedRoot` in `images.signatures` names one in a file";
}
