/**
 * Finds what cosign attached to an image. Two ways are in use: Sigstore bundles that refer to it (cosign 3, GitHub's
 * attestations; cosign's BUNDLE_SPEC.md, OCI Distribution 1.1 "Listing Referrers" with its fallback tag), and simple
 * signing under the tag `sha256-….sig` (cosign's SIGNATURE_SPEC.md).
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { DIGEST, type ImageReference } from "./reference.ts";
import type { ContentRead, Registry } from "./registry.ts";

/** One signature as it was found; nothing of it has been believed yet. */
export type Claim =
  | { readonly kind: "bundle"; readonly json: string }
  | {
      readonly kind: "simple";
      readonly payload: Buffer;
      /** Base64. */
      readonly signature: string;
      /** PEM; absent where a key signed. */
      readonly certificate?: string;
      /** Rekor's entry as JSON, where it was logged. */
      readonly rekor?: string;
    };

export type ClaimsRead =
  | { readonly kind: "found"; readonly claims: readonly Claim[]; readonly denied: boolean }
  | { readonly kind: "unavailable"; readonly message: string; readonly retryAfterSeconds?: number };

/** An image with more of them is looked at no further: whoever may push could send us for thousands. */
const CLAIMS_MOST = 32;
const BYTES_MOST = 1024 * 1024;
const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
const BUNDLE = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.3)?\+json/;
const SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json";

const descriptor = z.object({
  mediaType: z.string(),
  digest: z.string().regex(DIGEST),
  artifactType: z.string().optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
const index = z.object({ manifests: z.array(descriptor) });
const manifest = z.object({ layers: z.array(descriptor) });
type Descriptor = z.infer<typeof descriptor>;

interface Place {
  readonly registry: Pick<Registry, "content">;
  readonly image: ImageReference;
}

/** All of both kinds, at most 32. */
export async function readClaims(
  { registry }: Pick<Place, "registry">,
  image: ImageReference,
  digest: string,
): Promise<ClaimsRead> {
  const place = { registry, image };
  const trouble: Exclude<ContentRead, { kind: "found" }>[] = [];
  const both = await Promise.all([bundles(place, digest, trouble), simpleSignatures(place, digest, trouble)]);
  const claims = both.flat();
  const away = trouble.find((one) => one.kind === "unavailable");
  // What was not seen may be the one that is looked for.
  if (away && claims.length === 0) return away;
  return { kind: "found", claims: claims.slice(0, CLAIMS_MOST), denied: trouble.some(({ kind }) => kind === "denied") };
}

type Trouble = Exclude<ContentRead, { kind: "found" }>[];

async function bundles(place: Place, digest: string, trouble: Trouble): Promise<readonly Claim[]> {
  const listed =
    (await readJson(place, { path: `referrers/${digest}`, accept: INDEX }, index, trouble)) ??
    (await readJson(place, { path: `manifests/${digest.replace(":", "-")}`, accept: INDEX }, index, trouble));
  const referring = (listed?.manifests ?? []).filter(
    // Some registries list referrers without saying of what kind they are.
    ({ artifactType }) => artifactType === undefined || BUNDLE.test(artifactType),
  );
  const found = referring.slice(0, CLAIMS_MOST).map(async ({ digest: at }): Promise<readonly Claim[]> => {
    const layers = await layersOf(place, at, trouble);
    const bundle = layers.find(({ mediaType }) => BUNDLE.test(mediaType));
    const json = bundle && (await readBlob(place, bundle.digest, trouble));
    return json ? [{ kind: "bundle", json: json.toString("utf8") }] : [];
  });
  return (await Promise.all(found)).flat();
}

async function simpleSignatures(place: Place, digest: string, trouble: Trouble): Promise<readonly Claim[]> {
  const layers = await layersOf(place, `${digest.replace(":", "-")}.sig`, trouble);
  const signed = layers.filter(({ mediaType }) => mediaType === SIMPLE_SIGNING).slice(0, CLAIMS_MOST);
  const found = signed.map(async ({ digest: at, annotations = {} }): Promise<readonly Claim[]> => {
    const signature = annotations["dev.cosignproject.cosign/signature"];
    const payload = signature && (await readBlob(place, at, trouble));
    if (!signature || !payload) return [];
    const certificate = annotations["dev.sigstore.cosign/certificate"];
    const rekor = annotations["dev.sigstore.cosign/bundle"];
    return [
      { kind: "simple", payload, signature, ...(certificate ? { certificate } : {}), ...(rekor ? { rekor } : {}) },
    ];
  });
  return (await Promise.all(found)).flat();
}

async function layersOf(place: Place, reference: string, trouble: Trouble): Promise<readonly Descriptor[]> {
  const wish = { path: `manifests/${reference}`, accept: MANIFEST };
  return (await readJson(place, wish, manifest, trouble))?.layers ?? [];
}

/** Undefined for what is not there, not JSON, or of another shape; what a registry refused is noted. */
async function readJson<S extends z.ZodType>(
  { registry, image }: Place,
  wish: { readonly path: string; readonly accept: string },
  schema: S,
  trouble: Trouble,
): Promise<z.infer<S> | undefined> {
  const read = await registry.content(image, { ...wish, maxBytes: BYTES_MOST });
  if (read.kind !== "found") {
    if (read.kind !== "missing") trouble.push(read);
    return undefined;
  }
  try {
    return schema.safeParse(JSON.parse(read.body.toString("utf8"))).data;
  } catch {
    return undefined;
  }
}

/** A blob is what its digest says, or nothing. */
async function readBlob({ registry, image }: Place, digest: string, trouble: Trouble): Promise<Buffer | undefined> {
  const read = await registry.content(image, { path: `blobs/${digest}`, accept: "*/*", maxBytes: BYTES_MOST });
  if (read.kind !== "found") {
    if (read.kind !== "missing") trouble.push(read);
    return undefined;
  }
  return `sha256:${createHash("sha256").update(read.body).digest("hex")}` === digest ? read.body : undefined;
}
