/** `images.signatures` in `stackling.yaml`: whose signature an image must bear before it runs. */
import { resolve } from "node:path";
import { z } from "zod";
import { place } from "./place.ts";
import { registry } from "./registry-schema.ts";
import { secretReference } from "./secret-schema.ts";
import type { SecretReference } from "./types.ts";

/** One signer, and the images that are to be theirs. */
export interface SignatureRule {
  /** Hosts, or starts of names at one; undefined: every image. */
  readonly images?: readonly string[];
  readonly signer: Signer;
}

export type Signer =
  | {
      readonly kind: "key";
      /** A public key in PEM; read anew each time, so that it can be changed in place. */
      readonly key: SecretReference;
      /** Whether Sigstore's transparency log must know of the signature too. */
      readonly transparencyLog: boolean;
      readonly trustedRoot?: string;
    }
  | {
      readonly kind: "identity";
      /** Subject of the certificate; `*` stands for any text. */
      readonly identity: string;
      /** Who vouched for the subject: the OIDC issuer's URL. */
      readonly issuer: string;
      /** Absolute path of a `trusted_root.json`; undefined: the public Sigstore's, by TUF. */
      readonly trustedRoot?: string;
    };

const images = z
  .array(registry)
  .min(1)
  .optional()
  .describe("Images that it is about: hosts, or starts of names such as `ghcr.io/acme`. Default: every image.");
const trustedRoot = z
  .string()
  .min(1)
  .optional()
  .describe(
    "A `trusted_root.json` (relative to this file) for a Sigstore of your own, or where the public one is out of reach. Default: the public Sigstore's, fetched and renewed by TUF.",
  );

const byKey = z.strictObject({
  images,
  key: secretReference.describe("Where the public key is, in PEM (`cosign public-key`)."),
  transparencyLog: z
    .boolean()
    .optional()
    .describe("Whether the signature must stand in Sigstore's transparency log too. Default false."),
  trustedRoot,
});
const byIdentity = z.strictObject({
  images,
  identity: z
    .string()
    .min(1)
    .describe(
      "Who signs without a key: the certificate's subject, such as `https://github.com/acme/shop/.github/workflows/build.yml@refs/heads/*`; `*` stands for any text.",
    ),
  issuer: z
    .url({ protocol: /^https?$/, error: 'must be an address such as "https://token.actions.githubusercontent.com"' })
    .describe("Who vouches for that subject: the address of the OIDC issuer."),
  trustedRoot,
});

export const signatureRules = z
  .array(z.union([byKey, byIdentity]))
  .min(1)
  .describe(
    "Signatures by cosign that images must bear: an image that entries name needs one of theirs, any other needs none. Default: none.",
  );

export function signaturesOf(
  typed: z.infer<typeof signatureRules> | undefined,
  directory: string,
): { readonly signatures?: readonly SignatureRule[] } {
  if (!typed) return {};
  return { signatures: typed.map((rule) => toRule(rule, directory)) };
}

function toRule(rule: z.infer<typeof signatureRules>[number], directory: string): SignatureRule {
  const about = rule.images ? { images: rule.images } : {};
  const root = rule.trustedRoot === undefined ? {} : { trustedRoot: resolve(directory, rule.trustedRoot) };
  if ("key" in rule) {
    const key = place(rule.key, directory);
    return { ...about, signer: { kind: "key", key, transparencyLog: rule.transparencyLog ?? false, ...root } };
  }
  return { ...about, signer: { kind: "identity", identity: rule.identity, issuer: rule.issuer, ...root } };
}
