/** Deliveries that GitHub could not hand over, so that it is asked for them again. It keeps them for three days. */
import { z } from "zod";
import type { FailedDelivery, RepositoryRef } from "./forge.ts";
import { type GithubClient, type OwnCall, REFUSED } from "./github-client.ts";

const PAGE_SIZE = 100;
/** Of the newest deliveries, in one look. */
const MOST_PAGES = 10;

/** Source: REST API, "List deliveries for an app webhook" and "… for a repository webhook". */
const deliveries = z.array(
  z.object({
    id: z.union([z.int(), z.string().regex(/^\d+$/)]),
    guid: z.string().min(1).max(200),
    delivered_at: z.iso.datetime({ offset: true }),
    status_code: z.number(),
  }),
);
type Delivery = z.infer<typeof deliveries>[number];

const hooks = z.array(z.object({ id: z.int(), config: z.object({ url: z.string().optional() }) }));

export interface DeliveriesOf {
  readonly client: GithubClient;
  /** Where our deliveries go, to tell our hook from others. */
  readonly url: string;
}

/**
 * Deliveries since then (ISO 8601 UTC), none of whose attempts was taken, oldest first. An App has one hook, a
 * token those of its repositories, where it may see them. Throws `StacklingError` when GitHub does not answer.
 */
export async function failedDeliveries(
  deps: DeliveriesOf,
  repositories: readonly RepositoryRef[],
  since: string,
): Promise<readonly FailedDelivery[]> {
  const { client } = deps;
  const places = client.kind === "app" ? ["/app/hook"] : (await Promise.all(repositories.map(hooksOf(deps)))).flat();
  const failed: FailedDelivery[] = [];
  for (const place of places) {
    const seen = await listed(client, place, since);
    const taken = new Set(seen.filter(isTaken).map(({ guid }) => guid));
    const newest = new Map<string, Delivery>();
    for (const one of seen) if (!taken.has(one.guid) && !newest.has(one.guid)) newest.set(one.guid, one);
    for (const { id, guid } of [...newest.values()].reverse()) {
      failed.push({
        deliveryId: guid,
        again: async () => {
          const path = `${place}/deliveries/${id}/attempts`;
          await client.ask({
            method: "POST",
            path,
            action: `asking for delivery "${guid}" again`,
            statuses: [404, 422],
          });
        },
      });
    }
  }
  return failed;
}

/** Newest first, as GitHub lists them. */
async function listed(client: GithubClient, place: string, since: string): Promise<readonly Delivery[]> {
  const all: Delivery[] = [];
  let cursor: string | undefined;
  for (let page = 1; page <= MOST_PAGES; page++) {
    const query = new URLSearchParams({ per_page: String(PAGE_SIZE), ...(cursor ? { cursor } : {}) });
    const call: OwnCall = {
      path: `${place}/deliveries?${query}`,
      action: "listing the deliveries of GitHub's webhook",
      // An App without a webhook, or a server that is older than this.
      statuses: REFUSED,
    };
    const { data, nextCursor } = await client.ask(call);
    const found = deliveries.safeParse(data).data ?? [];
    const young = found.filter(({ delivered_at: at }) => new Date(at).toISOString() >= since);
    all.push(...young);
    if (nextCursor === undefined || young.length < found.length || found.length === 0) break;
    cursor = nextCursor;
  }
  return all;
}

function isTaken({ status_code: status }: Delivery): boolean {
  return status >= 200 && status < 300;
}

/** Ours among the repository's hooks; none where the token may not look at them. */
function hooksOf({ client, url }: DeliveriesOf) {
  return async ({ path: repository }: RepositoryRef): Promise<readonly string[]> => {
    const action = `reading the webhooks of "${repository}"`;
    const { data } = await client.call({ repository, path: `/hooks?per_page=${PAGE_SIZE}`, action, statuses: REFUSED });
    const ours = (hooks.safeParse(data).data ?? []).filter(({ config }) => config.url === url);
    return ours.map(({ id }) => `/repos/${repository}/hooks/${id}`);
  };
}
