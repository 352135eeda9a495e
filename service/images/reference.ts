/** Images of a commit: how they are named, found at their registry and pinned. This file: names. Pure. */

/** An image's name, split as registries need it. */
export interface ImageReference {
  /** `host` or `host:port`; `docker.io` where the name has none. */
  readonly host: string;
  /** Path at the registry, such as `acme/shop`; `library/…` for Docker Hub's own. */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest?: string;
}

export const DOCKER_HUB = "docker.io";

/** Digits of `{shortSha}`: what `git rev-parse --short` and docker/metadata-action give. */
const SHORT = 7;

const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::[0-9]{1,5})?$/;
const PATH = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
export const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * Splits `[host[:port]/]path[:tag][@digest]`; undefined when it is no image name. The first part is a
 * host when it holds a dot or colon or is `localhost`: the grammar of github.com/distribution/reference.
 */
export function parseImage(text: string): ImageReference | undefined {
  const [named = "", digest, ...more] = text.split("@");
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return undefined;
  const { host, rest } = splitHost(named);
  const [path = "", tag, ...further] = rest.split(":");
  if (further.length > 0 || (tag !== undefined && !TAG.test(tag))) return undefined;
  if (!HOST.test(host) || !PATH.test(path) || host.length + path.length > 254) return undefined;
  return {
    host,
    repository: host === DOCKER_HUB && !path.includes("/") ? `library/${path}` : path,
    ...(tag !== undefined ? { tag } : {}),
    ...(digest !== undefined ? { digest } : {}),
  };
}

/** Whether one of these hosts or starts of names covers it: each itself and what lies below it, whole parts only. */
export function isCovered({ host, repository }: ImageReference, listed: readonly string[]): boolean {
  return listed.some((start) => `${host}/${repository}/`.startsWith(`${start}/`));
}

/** `host/repository@digest`: the one image, whatever becomes of its tags. */
export function pinnedName({ host, repository }: ImageReference, digest: string): string {
  return `${host}/${repository}@${digest}`;
}

/** The image of a commit: `{sha}` is its full object id, `{shortSha}` the first seven digits. */
export function imageOf(template: string, commit: string): string {
  return template.replaceAll("{sha}", commit).replaceAll("{shortSha}", commit.slice(0, SHORT));
}

/** True for a name that leads to one image only: a tag by commit or a digest. */
export function isOfCommit(template: string): boolean {
  return /\{(?:sha|shortSha)\}/.test(template) || parseImage(template)?.digest !== undefined;
}

/** What is wrong with an image as `preview.yaml` names it, with the way out; undefined when nothing is. */
export function imageFault(template: string): string | undefined {
  const unknown = template.match(/\{[^}]*\}?/g)?.find((part) => part !== "{sha}" && part !== "{shortSha}");
  if (unknown) return `has the unknown placeholder "${unknown}"; known: {sha} (the full commit) and {shortSha}`;
  const image = parseImage(imageOf(template, "0".repeat(40)));
  if (!image) return 'is no image name; write REGISTRY/NAME:TAG, such as "ghcr.io/acme/shop:{sha}"';
  if (/\{/.test(withoutTag(template))) return "has a placeholder outside its tag; write it behind the last colon";
  if (image.digest !== undefined) return undefined;
  const name = withoutTag(template);
  if (image.tag === undefined) return `has no tag, so it would be whatever is the latest; write "${name}:{sha}"`;
  return image.tag === "latest" ? `is whatever is the latest; write "${name}:{sha}"` : undefined;
}

/** The name up to its tag. */
export function withoutTag(text: string): string {
  const [named = ""] = text.split("@");
  const colon = named.lastIndexOf(":");
  return colon > named.lastIndexOf("/") ? named.slice(0, colon) : named;
}

function splitHost(named: string): { readonly host: string; readonly rest: string } {
  const slash = named.indexOf("/");
  const first = named.slice(0, slash);
  if (slash < 0 || !(/[.:]/.test(first) || first === "localhost")) return { host: DOCKER_HUB, rest: named };
  return { host: first === "index.docker.io" ? DOCKER_HUB : first, rest: named.slice(slash + 1) };
}
