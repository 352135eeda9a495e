/** Brings the images of a spec together: pinned once and kept, or waited for until CI has pushed them. */
import { type PreviewSpec, specDigest } from "../../infra/spec.ts";
import type { Preview, PreviewStatus } from "../status.ts";
import { parseImage, pinnedName } from "./reference.ts";
import type { ManifestRead, Registry } from "./registry.ts";
import type { SignatureRead, Signatures } from "./signatures.ts";
import { awaitImages, type ImageWait, type Unfound } from "./waiting.ts";

export interface ImagesDeps {
  readonly registry: Pick<Registry, "read">;
  /** Undefined: no image needs one. */
  readonly signatures?: Signatures | undefined;
  /** How long an image of a new commit is waited for. */
  readonly waitSeconds: number;
  readonly now: () => string;
}

export interface Images {
  /** One look, bounded in time; what became of it is to be written into the status. Never rejects for what a registry does. */
  find(
    preview: Pick<Preview, "key" | "status"> & Partial<Pick<Preview, "intents">>,
    spec: PreviewSpec,
  ): Promise<Sought>;
}

export type Sought =
  /** `spec` names every image by its digest. */
  | { readonly kind: "found"; readonly spec: PreviewSpec; readonly status: Partial<PreviewStatus> }
  /** Waited for, or given up until there is new input. */
  | { readonly kind: "absent"; readonly status: Partial<PreviewStatus> };

/** Pins kept beside those of the version that serves, so that going back to an older commit runs what ran then. */
const PINS_KEPT = 40;

export function createImages({ registry, signatures, waitSeconds, now }: ImagesDeps): Images {
  return {
    async find({ key, status, intents }, spec) {
      // What was promoted is what ran there, whatever its names stand for by now.
      const promoted = intents?.promoted?.images;
      const known = { ...Object.fromEntries(status.imagePins ?? []), ...status.live?.images, ...promoted };
      const names = imagesOf(spec);
      const looks = names.map(async (name) => [name, await pinOf(name, known, { registry, signatures })] as const);
      const looked = await Promise.all(looks);
      const found = Object.fromEntries(looked.flatMap(([name, pin]) => (typeof pin === "string" ? [[name, pin]] : [])));
      const unfound = looked.flatMap(([image, read]): Unfound[] => (typeof read === "string" ? [] : [{ image, read }]));
      const imagePins = keepPins(status.imagePins ?? [], found);
      if (unfound.length === 0) {
        return { kind: "found", spec: { ...spec, images: found }, status: { imagePins, imageWait: undefined } };
      }
      const digest = specDigest(spec);
      const wait: ImageWait | undefined = status.imageWait?.digest === digest ? status.imageWait : undefined;
      return {
        kind: "absent",
        status: { imagePins, ...awaitImages({ key, digest, wait, unfound, waitSeconds, now: now() }) },
      };
    },
  };
}

/** Every image that the services and their sidecars name, once. */
function imagesOf({ services }: PreviewSpec): readonly string[] {
  const named = services.flatMap(({ image, sidecars }) => [image, ...sidecars.map((sidecar) => sidecar.image)]);
  return [...new Set(named.filter((image) => image !== undefined))];
}

type Missing = Exclude<ManifestRead, { kind: "found" }> | Exclude<SignatureRead, { kind: "signed" }>;

/**
 * The pin, or what the registry said instead. Its signature is asked for each time, also of what was pinned before: the
 * operator may have begun to ask for one, or trusts somebody no more.
 */
async function pinOf(
  name: string,
  known: Readonly<Record<string, string>>,
  { registry, signatures }: Pick<ImagesDeps, "registry" | "signatures">,
): Promise<string | Missing> {
  const pinned = Object.hasOwn(known, name) ? known[name] : undefined;
  const image = parseImage(pinned ?? name);
  if (!image) return { kind: "unavailable", message: `"${name}" is no image name` };
  const read: ManifestRead =
    image.digest === undefined ? await registry.read(image) : { kind: "found", digest: image.digest };
  if (read.kind !== "found") return read;
  const signature = await signatures?.check(image, read.digest);
  return signature === undefined || signature.kind === "signed" ? pinnedName(image, read.digest) : signature;
}

type Pins = NonNullable<PreviewStatus["imagePins"]>;

/** Those of this spec last, so that they are the last to be forgotten. */
function keepPins(before: Pins, found: Readonly<Record<string, string>>): Pins {
  const others = before.filter(([name]) => !Object.hasOwn(found, name));
  return [...others, ...Object.entries(found)].slice(-PINS_KEPT);
}
