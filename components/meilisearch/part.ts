/** A preview's part of a Meilisearch server: an API key that reaches the indexes of one prefix. */
import { z } from "zod";
import { credential, readCredential } from "../credential.ts";
import { StacklingError } from "../errors.ts";
import { addressOf, type BackingKind, loginOf, stackOfLogin } from "../local/backing-kind.ts";
import type { Finding } from "../operations.ts";
import { anything, ask, path, type RestApi } from "../rest.ts";
import { eventuallyDone } from "./task.ts";

export const meilisearchOptions = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).describe("Where the server answers; previews get the same."),
  key: credential.describe("Where its master key is, or a key that may manage keys and all indexes."),
});

export type MeilisearchOptions = z.infer<typeof meilisearchOptions>;

/** All that an application does with indexes of its own; nothing of keys, dumps and the instance (API reference, "Keys"). */
const ACTIONS = ["search", "documents.*", "indexes.create", "indexes.get", "indexes.update", "indexes.delete"];
const RIGHTS = [...ACTIONS, "settings.*", "tasks.get", "stats.get"];
/** More of one kind than any server that people look after has. */
const LIMIT = "10000";

const key = z.object({ uid: z.string(), name: z.string().nullish() });
const made = key.extend({ key: z.string() });
const keys = z.object({ results: z.array(key) });
const indexes = z.object({ results: z.array(z.object({ uid: z.string() })) });
const begun = z.object({ taskUid: z.int() });

export const meilisearchPart: BackingKind<MeilisearchOptions> = {
  async grant(options, { stack }) {
    const api = await connect(options);
    const action = `giving "${stack}" its part of Meilisearch`;
    const before = await keysOf(api, stack);
    const body = { name: loginOf(stack), actions: RIGHTS, indexes: [`${prefixOf(stack)}*`], expiresAt: null };
    const found = await ask(api, { action, method: "POST", path: "/keys", body }, made);
    if (!found) throw noMeilisearch(action);
    await dropKeys(api, before);
    const url = options.url.replace(/\/+$/, "");
    return { values: { url, key: found.key, prefix: prefixOf(stack) }, addresses: [addressOf(url)] };
  },

  holds: async (options, stack) => (await keysOf(await connect(options), stack)).length > 0,

  async revoke(options, stack) {
    const api = await connect(options);
    await dropKeys(api, await keysOf(api, stack));
    for (const uid of await indexesOf(api, stack)) {
      const action = `removing index "${uid}"`;
      const task = await ask(api, { action, method: "DELETE", path: path`/indexes/${uid}` }, begun);
      if (task) await eventuallyDone(api, task.taskUid, action);
    }
  },

  async list(options, stack) {
    const api = await connect(options);
    const logins = (await keysOf(api, stack)).map(({ name, owner }) => ({
      kind: "meilisearch key",
      id: name,
      stack: owner,
    }));
    if (stack === undefined) return logins;
    const left = (await indexesOf(api, stack)).map((id) => ({ kind: "meilisearch index", id, stack }));
    return [...logins, ...left];
  },
};

export const meilisearchKinds = ["meilisearch key", "meilisearch index"];

export async function checkMeilisearch(options: MeilisearchOptions): Promise<readonly Finding[]> {
  await keysOf(await connect(options));
  return [{ ok: true, what: `Meilisearch at ${new URL(options.url).host} answers, and its key may manage keys` }];
}

/** No name of a stack holds an underscore, so that none is the start of another. */
function prefixOf(stack: string): string {
  return `${stack}_`;
}

async function keysOf(api: RestApi, stack?: string) {
  const action = "listing previews' keys of Meilisearch";
  const found = await ask(api, { action, path: "/keys", query: { limit: LIMIT } }, keys);
  if (!found) throw noMeilisearch(action);
  return found.results.flatMap(({ uid, name }) => {
    const owner = stackOfLogin(name ?? "");
    return owner === undefined || (stack !== undefined && owner !== stack) ? [] : [{ uid, name: name ?? "", owner }];
  });
}

async function dropKeys(
  api: RestApi,
  dropped: readonly { readonly uid: string; readonly name: string }[],
): Promise<void> {
  for (const { uid, name } of dropped) {
    await ask(api, { action: `revoking key "${name}"`, method: "DELETE", path: path`/keys/${uid}` }, anything);
  }
}

async function indexesOf(api: RestApi, stack: string): Promise<readonly string[]> {
  const action = `listing the indexes of "${stack}"`;
  const found = await ask(api, { action, path: "/indexes", query: { limit: LIMIT } }, indexes);
  const names = (found?.results ?? []).map(({ uid }) => uid);
  return names.filter((uid) => uid.startsWith(prefixOf(stack))).sort();
}

async function connect({ url, key: place }: MeilisearchOptions): Promise<RestApi> {
  const secret = await readCredential(place, "the key of the Meilisearch server");
  const headers = { authorization: `Bearer ${secret}` };
  return {
    vendor: "Meilisearch",
    baseUrl: url.replace(/\/+$/, ""),
    headers,
    secrets: [secret],
    refused: "TargetInvalid",
  };
}

function noMeilisearch(action: string): StacklingError {
  return new StacklingError({ reason: "TargetInvalid", userMessage: `${action}: what answers is not Meilisearch` });
}
