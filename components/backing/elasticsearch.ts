/** An API key and a prefix per preview on an Elasticsearch of many. */
import {
  checkElasticsearch,
  type ElasticsearchOptions,
  elasticsearchKinds,
  elasticsearchOptions,
  elasticsearchPart,
} from "../elasticsearch/part.ts";
import type { BackingDriver } from "../ports.ts";
import { backingDriver } from "./declare.ts";

export const elasticsearchBacking: BackingDriver<ElasticsearchOptions> = backingDriver({
  kind: "elasticsearch",
  type: "stackling:backing:Elasticsearch",
  options: elasticsearchOptions,
  part: elasticsearchPart,
  kinds: elasticsearchKinds,
  gives: ["url", "key", "prefix"],
  placedBy: ["url"],
  check: checkElasticsearch,
  example: () => ({
    options: {
      url: "https://search.acme.dev:9200",
      username: "stackling",
      password: { env: "STACKLING_TEST_ELASTICSEARCH_PASSWORD" },
    },
    generation: 0,
  }),
});
