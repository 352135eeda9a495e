/** A preview's part of an Elasticsearch cluster: an API key that reaches the indices of one prefix. */
import { z } from "zod";
import { credential, readCredential } from "../credential.ts";
import { StacklingError } from "../errors.ts";
import { addressOf, type BackingKind, loginOf, stackOfLogin } from "../local/backing-kind.ts";
import type { Finding } from "../operations.ts";
import { anything, ask, path, type RestApi } from "../rest.ts";

export const elasticsearchOptions = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).describe("Where the cluster answers; previews get the same."),
  username: z
    .string()
    .min(1)
    .describe("User that may manage API keys and all indices of previews; no API key, for those give no rights on."),
  password: credential.describe("Where its password is."),
});

export type ElasticsearchOptions = z.infer<typeof elasticsearchOptions>;

/** What clients ask a cluster before they use it: whether it is one, and of which version. */
const CLUSTER_RIGHTS = ["cluster:monitor/main"];

const made = z.object({ id: z.string(), encoded: z.string() });
const keys = z.object({ api_keys: z.array(z.object({ id: z.string(), name: z.string(), invalidated: z.boolean() })) });
const resolved = z.object({
  indices: z.array(z.object({ name: z.string() })),
  data_streams: z.array(z.object({ name: z.string() })),
});

export const elasticsearchPart: BackingKind<ElasticsearchOptions> = {
  async grant(options, { stack }) {
    const api = await connect(options);
    const action = `giving "${stack}" its part of Elasticsearch`;
    const before = await keysOf(api, stack);
    const indices = [{ names: [`${prefixOf(stack)}*`], privileges: ["all"] }];
    const body = { name: loginOf(stack), role_descriptors: { preview: { cluster: CLUSTER_RIGHTS, indices } } };
    const found = await ask(api, { action, method: "POST", path: "/_security/api_key", body }, made);
    if (!found) throw noElasticsearch(action);
    await dropKeys(api, stack, before);
    const url = options.url.replace(/\/+$/, "");
    return { values: { url, key: found.encoded, prefix: prefixOf(stack) }, addresses: [addressOf(url)] };
  },

  holds: async (options, stack) => (await keysOf(await connect(options), stack)).length > 0,

  async revoke(options, stack) {
    const api = await connect(options);
    await dropKeys(api, stack, await keysOf(api, stack));
    const { indices, streams } = await below(api, stack);
    // A stream's own indices go with it. One at a time, for clusters that refuse patterns also cut long addresses.
    for (const name of streams) {
      await ask(api, { action: `removing "${name}"`, method: "DELETE", path: path`/_data_stream/${name}` }, anything);
    }
    for (const name of indices) {
      await ask(api, { action: `removing index "${name}"`, method: "DELETE", path: path`/${name}` }, anything);
    }
  },

  async list(options, stack) {
    const api = await connect(options);
    const logins = (await keysOf(api, stack)).map(({ name, owner }) => ({
      kind: "elasticsearch key",
      id: name,
      stack: owner,
    }));
    if (stack === undefined) return logins;
    const { indices, streams } = await below(api, stack);
    return [...logins, ...[...streams, ...indices].map((id) => ({ kind: "elasticsearch index", id, stack }))];
  },
};

export const elasticsearchKinds = ["elasticsearch key", "elasticsearch index"];

export async function checkElasticsearch(options: ElasticsearchOptions): Promise<readonly Finding[]> {
  await keysOf(await connect(options));
  const what = `Elasticsearch at ${new URL(options.url).host} answers, and "${options.username}" may manage API keys`;
  return [{ ok: true, what }];
}

/** No name of a stack holds an underscore, so that none is the start of another. */
function prefixOf(stack: string): string {
  return `${stack}_`;
}

/** Those that are good. */
async function keysOf(api: RestApi, stack?: string) {
  const action = "listing previews' keys of Elasticsearch";
  const query = { name: stack === undefined ? loginOf("*") : loginOf(stack) };
  const found = await ask(api, { action, path: "/_security/api_key", query }, keys);
  // With a name that nobody has it is an empty list, or 404 in older versions.
  const good = (found?.api_keys ?? []).filter(({ invalidated }) => !invalidated);
  return good.flatMap(({ id, name }) => {
    const owner = stackOfLogin(name);
    return owner === undefined || (stack !== undefined && owner !== stack) ? [] : [{ id, name, owner }];
  });
}

async function dropKeys(api: RestApi, stack: string, dropped: readonly { readonly id: string }[]): Promise<void> {
  if (dropped.length === 0) return;
  const ids = dropped.map(({ id }) => id);
  const action = `revoking the keys of "${stack}"`;
  await ask(api, { action, method: "DELETE", path: "/_security/api_key", body: { ids } }, anything);
}

async function below(api: RestApi, stack: string) {
  const prefix = prefixOf(stack);
  const call = { action: `listing the indices of "${stack}"`, path: path`/_resolve/index/${`${prefix}*`}` };
  const found = await ask(api, { ...call, query: { expand_wildcards: "all" } }, resolved);
  const named = (things: readonly { readonly name: string }[] = []) =>
    things.map(({ name }) => name).filter((name) => name.startsWith(prefix));
  return { indices: named(found?.indices).sort(), streams: named(found?.data_streams).sort() };
}

async function connect({ url, username, password: place }: ElasticsearchOptions): Promise<RestApi> {
  const secret = await readCredential(place, "the password of Elasticsearch's administrator");
  const basic = Buffer.from(`${username}:${secret}`).toString("base64");
  return {
    vendor: "Elasticsearch",
    baseUrl: url.replace(/\/+$/, ""),
    headers: { authorization: `Basic ${basic}` },
    secrets: [secret, basic],
    refused: "TargetInvalid",
  };
}

function noElasticsearch(action: string): StacklingError {
  return new StacklingError({ reason: "TargetInvalid", userMessage: `${action}: what answers is not Elasticsearch` });
}
