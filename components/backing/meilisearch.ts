/** An API key and a prefix per preview on a Meilisearch of many. */
import {
  checkMeilisearch,
  type MeilisearchOptions,
  meilisearchKinds,
  meilisearchOptions,
  meilisearchPart,
} from "../meilisearch/part.ts";
import type { BackingDriver } from "../ports.ts";
import { backingDriver } from "./declare.ts";

export const meilisearchBacking: BackingDriver<MeilisearchOptions> = backingDriver({
  kind: "meilisearch",
  type: "stackling:backing:Meilisearch",
  options: meilisearchOptions,
  part: meilisearchPart,
  kinds: meilisearchKinds,
  gives: ["url", "key", "prefix"],
  placedBy: ["url"],
  check: checkMeilisearch,
  example: () => ({
    options: { url: "https://search.acme.dev", key: { env: "STACKLING_TEST_MEILISEARCH_KEY" } },
    generation: 0,
  }),
});
