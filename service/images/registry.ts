/** Asks a registry which image bears a name now: OCI Distribution Specification v1.1, "Pulling manifests". */
import { createHash } from "node:crypto";
import { StacklingError } from "../../components/errors.ts";
import type { Finding } from "../../components/ports.ts";
import { type Challenge, parseChallenge } from "./challenge.ts";
import { DIGEST, DOCKER_HUB, type ImageReference } from "./reference.ts";
import { type Answer, askRegistry, isLoopback, readText } from "./registry-request.ts";

export interface RegistryCredentials {
  readonly username: string;
  /** Password or access token; secret. */
  readonly password: string;
}

export type ManifestRead =
  | { readonly kind: "found"; readonly digest: string }
  /** The registry says that there is no such image. */
  | { readonly kind: "missing" }
  /** It does not let us look; many answer so for what does not exist yet. */
  | { readonly kind: "denied" }
  /** It could not be asked; evidence of nothing. */
  | { readonly kind: "unavailable"; readonly message: string; readonly retryAfterSeconds?: number };

export type ContentRead =
  | { readonly kind: "found"; readonly body: Buffer; readonly mediaType: string }
  | Exclude<ManifestRead, { kind: "found" }>;

/** What else of a repository is wanted: a manifest, a blob, or who refers to an image. */
export interface ContentWish {
  /** Below `/v2/REPOSITORY/`, such as `blobs/sha256:…`. */
  readonly path: string;
  readonly accept: string;
  /** A larger one is none. */
  readonly maxBytes: number;
}

export interface Registry {
  /** The digest of the manifest or index that the reference's tag leads to. Never rejects for what a registry does. */
  read(image: ImageReference): Promise<ManifestRead>;
  /** One thing of the image's repository, whole. Never rejects for what a registry does. */
  content(image: Pick<ImageReference, "host" | "repository">, wish: ContentWish): Promise<ContentRead>;
  /** Whether the credentials for a host are accepted. */
  check(host: string): Promise<Finding>;
}

export interface RegistryDeps {
  /** Credentials for a host, read anew each time; undefined: anonymous. */
  readonly credentials: (host: string) => Promise<RegistryCredentials | undefined>;
  /** Bounds one look with all its requests. Default 10 s. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;

/** Everything that a tag may lead to: an index or list for several platforms, or one manifest. */
const MANIFESTS = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** A client for any registry: anonymous, basic and token authentication, HTTPS except on this machine. */
export function createRegistry({ credentials, timeoutMs = TIMEOUT_MS }: RegistryDeps): Registry {
  return {
    async read(image) {
      const { host, repository, tag, digest } = image;
      const url = `${originOf(host)}/v2/${repository}/manifests/${digest ?? tag ?? "latest"}`;
      const look: Look = { url, host, repository, credentials, signal: AbortSignal.timeout(timeoutMs) };
      try {
        // HEAD costs no pull where pulls are counted (Docker Hub), but not every registry answers it whole.
        const head = await readOnce(look, "HEAD");
        return head ?? (await readOnce(look, "GET")) ?? unavailable(`"${host}" names no digest`);
      } catch (error) {
        return unavailable(wordsFor(error, host, timeoutMs));
      }
    },
    async content({ host, repository }, { path, accept, maxBytes }) {
      const url = `${originOf(host)}/v2/${repository}/${path}`;
      const look: Look = { url, host, repository, accept, credentials, signal: AbortSignal.timeout(timeoutMs) };
      return readContent(look, maxBytes).catch((error: unknown) => unavailable(wordsFor(error, host, timeoutMs)));
    },
    async check(host) {
      const look: Look = { url: `${originOf(host)}/v2/`, host, credentials, signal: AbortSignal.timeout(timeoutMs) };
      return checkHost(look).catch((error: unknown): Finding => {
        const remedy = "look whether the registry is up, and into `images.credentials` of stackling.yaml";
        return { ok: false, what: `registry "${host}": ${wordsFor(error, host, timeoutMs)}`, remedy };
      });
    },
  };
}

/** The base of the API answers to whoever is let in: the specification's "Determining Support". */
async function checkHost(look: Look): Promise<Finding> {
  const answer = await askAuthorized(look, "GET");
  if (answer !== "denied") await answer.cancel();
  if (answer !== "denied" && answer.status === 200) {
    return { ok: true, what: `registry "${look.host}" takes its credentials` };
  }
  const what = `registry "${look.host}" refuses its credentials`;
  const remedy = `give \`images.credentials\` of stackling.yaml a name and a password for "${look.host}" that may read images`;
  return { ok: false, what, remedy };
}

interface Look extends Pick<RegistryDeps, "credentials"> {
  readonly url: string;
  readonly host: string;
  /** Absent where no image is looked at. */
  readonly repository?: string;
  /** Media types; those of manifests by default. */
  readonly accept?: string;
  readonly signal: AbortSignal;
}

async function readContent(look: Look, maxBytes: number): Promise<ContentRead> {
  const answer = await askAuthorized(look, "GET");
  if (answer === "denied") return { kind: "denied" };
  if (answer.status === 200) {
    return { kind: "found", body: await answer.read(maxBytes), mediaType: answer.headers.get("content-type") ?? "" };
  }
  await answer.cancel();
  return refusalOf(look, answer);
}

/** What an answer without what was asked for says. */
function refusalOf({ host }: Look, { status, retryAfterSeconds }: Answer): Exclude<ManifestRead, { kind: "found" }> {
  if (status === 404) return { kind: "missing" };
  if (status === 401 || status === 403) return { kind: "denied" };
  return unavailable(`"${host}" answered ${status}`, retryAfterSeconds);
}

/** Undefined when the answer holds no digest and only a GET can tell more. */
async function readOnce(look: Look, method: "HEAD" | "GET"): Promise<ManifestRead | undefined> {
  const answer = await askAuthorized(look, method);
  if (answer === "denied") return { kind: "denied" };
  const { status } = answer;
  if (status === 200) {
    const digest = await digestOf(answer, method);
    return digest === undefined ? undefined : { kind: "found", digest };
  }
  await answer.cancel();
  if (method === "HEAD" && [400, 405, 501].includes(status)) return undefined;
  return refusalOf(look, answer);
}

async function askAuthorized(look: Look, method: "HEAD" | "GET"): Promise<Answer | "denied"> {
  const { url, signal } = look;
  const ask = (headers: Readonly<Record<string, string>>) =>
    askRegistry(url, { method, headers: { Accept: look.accept ?? MANIFESTS, ...headers }, signal });
  const first = await ask({});
  if (first.status !== 401) return first;
  await first.cancel();
  const challenge = parseChallenge(first.headers.get("www-authenticate"));
  const authorization = challenge && (await authorize(look, challenge));
  return authorization === undefined ? "denied" : ask({ Authorization: authorization });
}

/** The header that answers a challenge; undefined when the registry would not have us. */
async function authorize(look: Look, challenge: Challenge): Promise<string | undefined> {
  const known = await look.credentials(look.host);
  const basic = known && `Basic ${Buffer.from(`${known.username}:${known.password}`).toString("base64")}`;
  if (challenge.scheme === "basic") return basic;
  const url = new URL(challenge.realm);
  if (challenge.service) url.searchParams.set("service", challenge.service);
  const scope = challenge.scope ?? (look.repository === undefined ? undefined : `repository:${look.repository}:pull`);
  if (scope) url.searchParams.set("scope", scope);
  if (!isLoopback(look.host) && isLoopback(url.host)) throw refused(look.host, "sends us to this machine for a token");
  const headers = { Accept: "application/json", ...(basic ? { Authorization: basic } : {}) };
  const answer = await askRegistry(url.href, { method: "GET", headers, signal: look.signal });
  if (answer.status === 200) return `Bearer ${tokenIn(await readText(answer, 256 * 1024), look.host)}`;
  await answer.cancel();
  if ([400, 401, 403, 404].includes(answer.status)) return undefined;
  throw refused(look.host, `answered ${answer.status} where it was asked for a token`);
}

/** `access_token` is the same under OAuth's name. */
function tokenIn(text: string, host: string): string {
  try {
    const { token, access_token: other }: { token?: unknown; access_token?: unknown } = Object(JSON.parse(text));
    const found = token ?? other;
    if (typeof found === "string" && /^[\x21-\x7e]+$/.test(found)) return found;
  } catch {
    // Told below.
  }
  throw refused(host, "gave no token");
}

/** The registry's word for it, or the body's own hash. */
async function digestOf(answer: Answer, method: "HEAD" | "GET"): Promise<string | undefined> {
  if (method === "GET") {
    const hash = createHash("sha256")
      .update(await answer.read(MANIFEST_BYTES))
      .digest("hex");
    return `sha256:${hash}`;
  }
  await answer.cancel();
  const digest = answer.headers.get("docker-content-digest");
  return digest !== null && DIGEST.test(digest) ? digest : undefined;
}

/** The specification has registries accept manifests of up to 4 MiB. */
const MANIFEST_BYTES = 4 * 1024 * 1024;

/** Docker Hub's API does not answer at the name that images bear. */
function originOf(host: string): string {
  if (host === DOCKER_HUB) return "https://registry-1.docker.io";
  return `${isLoopback(host) ? "http" : "https"}://${host}`;
}

function unavailable(message: string, retryAfterSeconds?: number): Extract<ManifestRead, { kind: "unavailable" }> {
  return { kind: "unavailable", message, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
}

function refused(host: string, what: string): StacklingError {
  return new StacklingError({ reason: "ImageNotFound", userMessage: `"${host}" ${what}` });
}

function wordsFor(error: unknown, host: string, timeoutMs: number): string {
  if (error instanceof StacklingError) return error.userMessage;
  if (error instanceof Error && error.name === "TimeoutError") {
    return `"${host}" did not answer within ${timeoutMs / 1000} s`;
  }
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? ` (${String(cause.code)})` : "";
  return `"${host}" cannot be reached${code}`;
}
