/** The SDK's clients of one account, made when they are first asked for. */
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { EC2Client } from "@aws-sdk/client-ec2";
import { ECSClient } from "@aws-sdk/client-ecs";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { IAMClient } from "@aws-sdk/client-iam";
import { ResourceGroupsTaggingAPIClient } from "@aws-sdk/client-resource-groups-tagging-api";
import { Route53Client } from "@aws-sdk/client-route-53";
import { SchedulerClient } from "@aws-sdk/client-scheduler";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { ServiceDiscoveryClient } from "@aws-sdk/client-servicediscovery";
import { STSClient } from "@aws-sdk/client-sts";
import { type Account, clientSettings } from "./account.ts";

const makers = {
  ec2: (settings: Settings) => new EC2Client(settings),
  ecs: (settings: Settings) => new ECSClient(settings),
  loadBalancers: (settings: Settings) => new ElasticLoadBalancingV2Client(settings),
  iam: (settings: Settings) => new IAMClient(settings),
  logs: (settings: Settings) => new CloudWatchLogsClient(settings),
  tagging: (settings: Settings) => new ResourceGroupsTaggingAPIClient(settings),
  dns: (settings: Settings) => new Route53Client(settings),
  scheduler: (settings: Settings) => new SchedulerClient(settings),
  secrets: (settings: Settings) => new SecretsManagerClient(settings),
  discovery: (settings: Settings) => new ServiceDiscoveryClient(settings),
  sts: (settings: Settings) => new STSClient(settings),
} as const;

type Settings = ReturnType<typeof clientSettings>;
export type Clients = { readonly [K in keyof typeof makers]: ReturnType<(typeof makers)[K]> };

/** Throws `TerminalError` (`TargetInvalid`) when a credential it refers to is not there. Asks AWS nothing. */
export function createClients(account: Account): Clients {
  const settings = clientSettings(account);
  const made: Partial<Clients> = {};
  const lazily = <K extends keyof Clients>(name: K) => ({
    enumerable: true,
    get: (): Clients[K] => {
      const known: Clients[K] | undefined = made[name];
      if (known) return known;
      const client = makers[name](settings) as Clients[K];
      made[name] = client;
      return client;
    },
  });
  return Object.defineProperties(
    {} as Clients,
    Object.fromEntries(Object.keys(makers).map((name) => [name, lazily(name as keyof Clients)])),
  );
}

/** Long enough for sessions of a role to be used again, short enough for a profile's new keys to be found. */
const REMEMBERED_MS = 10 * 60_000;

/** `createClients` for whoever asks often: the same account gets the same clients for some minutes, with their connections and sessions. */
export function rememberClients(): (account: Account) => Clients {
  const known = new Map<string, { readonly clients: Clients; readonly until: number }>();
  return ({ region, credentials, assumeRole, endpoint }) => {
    const key = JSON.stringify([region, credentials, assumeRole, endpoint]);
    const found = known.get(key);
    if (found && found.until > performance.now()) return found.clients;
    const clients = createClients({ region, credentials, assumeRole, endpoint });
    known.set(key, { clients, until: performance.now() + REMEMBERED_MS });
    return clients;
  };
}
