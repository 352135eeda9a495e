/** Whether an image bears the signature that the operator asks for. */
import type { SignatureRule } from "../config/signatures.ts";
import { type ImageReference, isCovered } from "./reference.ts";
import type { Registry } from "./registry.ts";
import { readClaims } from "./signature-claims.ts";
import type { ReadTrust } from "./sigstore.ts";

export type SignatureRead =
  | { readonly kind: "signed" }
  /** There is none, or none by whom it is to be. */
  | { readonly kind: "unsigned"; readonly message: string }
  /** The registry or the trust root could not be asked; evidence of nothing. */
  | { readonly kind: "unavailable"; readonly message: string; readonly retryAfterSeconds?: number };

export interface Signatures {
  /** Of the image with this digest. One look, bounded in time; never rejects. */
  check(image: ImageReference, digest: string): Promise<SignatureRead>;
}

export interface SignaturesDeps {
  readonly registry: Pick<Registry, "content">;
  readonly rules: readonly SignatureRule[];
  readonly trust: ReadTrust;
}

/** Of those that were looked at in vain, in a message. */
const TOLD = 3;

export function createSignatures({ registry, rules, trust }: SignaturesDeps): Signatures {
  return {
    async check(image, digest) {
      const asked = rules.filter(({ images }) => !images || isCovered(image, images));
      if (asked.length === 0) return { kind: "signed" };
      const read = await readClaims({ registry }, image, digest);
      if (read.kind === "unavailable") return read;
      const faults = new Set<string>();
      let away: SignatureRead | undefined;
      for (const { signer } of read.claims.length > 0 ? asked : []) {
        const trusted = await trust(signer);
        if (trusted.kind === "unavailable") {
          away ??= trusted;
          continue;
        }
        for (const claim of read.claims) {
          const judgement = trusted.judge(claim, digest);
          if (judgement.kind === "accepted") return { kind: "signed" };
          faults.add(judgement.why);
        }
      }
      // As long as it is not known whom to trust, nobody can say that it is not signed.
      return away ?? { kind: "unsigned", message: wordsOf(asked, [...faults], read.denied) };
    },
  };
}

function wordsOf(rules: readonly SignatureRule[], found: readonly string[], denied: boolean): string {
  const wanted = `it must be signed by ${[...new Set(rules.map(signerWords))].join(", or by ")}`;
  if (found.length === 0)
    return denied ? `${wanted}; its registry denies the look for signatures` : `${wanted}, and is not signed`;
  const more = found.length > TOLD ? `; ${found.length - TOLD} more` : "";
  return `${wanted}, and is not: ${found.slice(0, TOLD).join("; ")}${more}`;
}

function signerWords({ signer }: SignatureRule): string {
  if (signer.kind === "identity") return `"${signer.identity}" (${new URL(signer.issuer).host})`;
  return `the key in ${"env" in signer.key ? `"${signer.key.env}"` : `"${signer.key.file}"`}`;
}
