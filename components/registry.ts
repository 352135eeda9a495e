/** Every driver by port and name: adding one is a file and a line here. Imports are lazy, so a target loads only its own vendors. */
export const registry = {
  service: {
    local: async () => (await import("./service/local.ts")).localService,
    kubernetes: async () => (await import("./service/kubernetes.ts")).kubernetesService,
    ecs: async () => (await import("./service/ecs.ts")).ecsService,
  },
  database: {
    clone: async () => (await import("./database/clone.ts")).cloneDatabase,
    empty: async () => (await import("./database/empty.ts")).emptyDatabase,
    schema: async () => (await import("./database/schema.ts")).schemaDatabase,
    shared: async () => (await import("./database/shared.ts")).sharedDatabase,
    snapshot: async () => (await import("./database/snapshot.ts")).snapshotDatabase,
    replica: async () => (await import("./database/replica.ts")).replicaDatabase,
    neon: async () => (await import("./database/neon.ts")).neonDatabase,
    planetscale: async () => (await import("./database/planetscale.ts")).planetscaleDatabase,
    supabase: async () => (await import("./database/supabase.ts")).supabaseDatabase,
  },
  dns: {
    gateway: async () => (await import("./dns/gateway.ts")).gatewayDns,
    wildcard: async () => (await import("./dns/wildcard.ts")).wildcardDns,
    cloudflare: async () => (await import("./dns/cloudflare.ts")).cloudflareDns,
    route53: async () => (await import("./dns/route53.ts")).route53Dns,
  },
  secrets: {
    local: async () => (await import("./secrets/local.ts")).localSecrets,
    aws: async () => (await import("./secrets/aws.ts")).awsSecrets,
    external: async () => (await import("./secrets/external.ts")).externalSecrets,
    esc: async () => (await import("./secrets/esc.ts")).escSecrets,
  },
  backing: {
    redis: async () => (await import("./backing/redis.ts")).redisBacking,
    kafka: async () => (await import("./backing/kafka.ts")).kafkaBacking,
    elasticsearch: async () => (await import("./backing/elasticsearch.ts")).elasticsearchBacking,
    meilisearch: async () => (await import("./backing/meilisearch.ts")).meilisearchBacking,
  },
} as const;

export type Port = keyof typeof registry;
export type DriverName<P extends Port> = keyof (typeof registry)[P];
