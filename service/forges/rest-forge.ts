/** What forges do alike around their own calls: the settings of a server, reading a file, and where git fetches. */
import { z } from "zod";
import { TerminalError } from "../../components/errors.ts";
import { type Asked, parseAnswer } from "./answers.ts";
import type { Forge, ForgeGround } from "./forge.ts";
import { isPlainPath, isPlausibleRef } from "./git-names.ts";
import type { HookPlace } from "./hook-place.ts";
import type { RestCall } from "./rest-client.ts";
import { readSecret, type Secret } from "./secret.ts";

/** As people find it; it stands in what `doctor` says. */
export const serverUrl = z
  .url({ protocol: /^https?$/ })
  .refine(isPlainAddress, "must be an address alone, without a login, `?` and `#`")
  .transform((url) => url.replace(/\/+$/, ""));

interface RestOptions {
  readonly url: string;
  readonly webhookSecrets: readonly Secret[];
  readonly makeWebhooks: boolean;
  readonly bots: readonly string[];
  readonly cloneUrl?: string | undefined;
}

export interface RestSettings {
  readonly cloneUrl: string;
  /** Lower case. */
  readonly bots: ReadonlySet<string>;
  readonly hook: HookPlace;
}

export async function restSettings(
  kind: "gitea" | "gitlab",
  { url, webhookSecrets, makeWebhooks, bots, cloneUrl }: RestOptions,
  ground: ForgeGround | undefined,
): Promise<RestSettings> {
  return {
    cloneUrl: cloneUrl ?? `${url}/{path}.git`,
    bots: new Set(bots.map((name) => name.toLowerCase())),
    hook: {
      webhookUrl: ground && `${ground.homeUrl}/webhooks/${encodeURIComponent(ground.name)}`,
      serverUrl: url,
      secrets: await Promise.all(webhookSecrets.map((reference) => readSecret(reference, kind))),
      make: makeWebhooks,
    },
  };
}

interface FileWays<Schema> extends Pick<Asked, "server"> {
  call(call: RestCall & { readonly repository: string }): Promise<{ readonly status: number; readonly data: unknown }>;
  /** Of a file's path at a git ref that is encoded already. */
  address(path: string, gitRef: string): string;
  /** Of the answer; undefined for what is no file. */
  readonly text: Schema;
  readonly resolve: Forge["resolve"];
}

/** See `Forge.readFile`. */
export function fileReader<Schema extends z.ZodType<string | undefined>>({
  server,
  call,
  address,
  text,
  resolve,
}: FileWays<Schema>): Forge["readFile"] {
  return async (repository, gitRef, path) => {
    const action = `reading "${path}" at "${gitRef}" in "${repository.path}"`;
    const notFound = new TerminalError({ reason: "RefNotFound", userMessage: `${action}: no such ref` });
    if (!isPlausibleRef(gitRef)) throw notFound;
    if (!isPlainPath(path)) return undefined;
    const { status, data } = await call({
      repository: repository.path,
      path: address(path, encodeURIComponent(gitRef)),
      action,
      statuses: [404],
    });
    if (status !== 404) return parseAnswer(text, data, { action, server });
    if (await resolve(repository, gitRef)) return undefined;
    throw notFound;
  };
}

interface CloneWays {
  /** With `{path}` for the repository's. */
  readonly cloneUrl: string;
  /** How git gets through to an address over HTTP. */
  credential(url: string, repository: string): Promise<Readonly<Record<string, string>>>;
  /** Git ref of a pull request's head. */
  head(number: number): string;
}

/** See `Forge.clonePoint`. */
export function clonePointReader({ cloneUrl, credential, head }: CloneWays): Forge["clonePoint"] {
  return async ({ path: repository }, pullRequest) => {
    const url = cloneUrl.replaceAll("{path}", repository);
    return {
      url,
      environment: /^https?:/.test(url) ? await credential(url, repository) : {},
      refs: pullRequest ? [head(pullRequest.number)] : ["refs/heads/*", "refs/tags/*"],
    };
  };
}

function isPlainAddress(url: string): boolean {
  const { username, password, search, hash } = new URL(url);
  return [username, password, search, hash].every((part) => part === "");
}
