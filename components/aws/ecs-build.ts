/** What all parts of one preview on ECS share. */
import type { LogGroup } from "@pulumi/aws/cloudwatch/logGroup.js";
import { all, type CustomResourceOptions, type Output } from "@pulumi/pulumi";
import type { ServiceArgs, TaskDefinition } from "../ports.ts";
import { taskEnvironment } from "../service/tasks.ts";
import { type Claim, claiming } from "./claim.ts";
import { type Clients, createClients } from "./clients.ts";
import { requireImage } from "./containers.ts";
import type { EcsOptions } from "./ecs-options.ts";
import { makeLogGroup, makeSecret, type Roles } from "./ecs-resources.ts";
import { logGroupName, secretName, thingName } from "./names.ts";
import type { Pace } from "./pace.ts";
import { executionRole, taskRole } from "./roles.ts";
import { discoveryAddresses, type Environment, hiddenSettings, partEnvironment } from "./settings.ts";

/** What a part needs of its component. */
export interface BuildInput {
  readonly args: ServiceArgs<EcsOptions>;
  /** Parent and provider of every resource. */
  readonly child: CustomResourceOptions;
  /** Name of a child. */
  readonly name: (part: string) => string;
  readonly pace: Pace;
}

export interface EcsBuild extends BuildInput {
  readonly clients: Clients;
  /** The preview's own secret; absent when nothing is hidden. */
  readonly own: { readonly arn: Output<string>; readonly version: Output<string> } | undefined;
  readonly logGroup: LogGroup;
  readonly roles: Roles;
  /** Private `host:port` by service. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Values that must not show in messages. Secret. */
  readonly hidden: Output<readonly string[]>;
}

/** Of migrations and seeds; no service's name is in capitals. */
const TASK = "TASK";

/** Declares log group, secret and roles. Throws `TerminalError` (`SpecInvalid`) for what has no image. */
export function startBuild(input: BuildInput): EcsBuild {
  const { args, child, name } = input;
  const { stack, options, services } = args;
  for (const runs of [...services, ...args.tasks]) requireImage(runs);
  const clients = createClients(options);
  const addresses = discoveryAddresses({ stack, services, namespace: options.namespace.name });
  const environments: Environment[] = [
    ...services,
    ...(args.tasks.length > 0 || args.gated ? [taskSettings(args)] : []),
  ];
  const text = hiddenSettings(args, environments, addresses);
  const named = (claim: Pick<Claim, "kind" | "name">) => claimed({ ...input, clients }, claim);
  const own =
    text &&
    makeSecret(
      name("environment"),
      { stack, part: "environment", text },
      { secret: named({ kind: "secret", name: secretName(stack, "environment") }), child },
    );
  const logGroup = makeLogGroup(name("log"), stack, options, named({ kind: "log group", name: logGroupName(stack) }));
  const referred = environments.flatMap((environment) =>
    Object.values(partEnvironment(environment, args.secretReferences).referred).map(({ arn }) => arn),
  );
  const secrets = [...(own ? [own.arn] : []), ...referred];
  const roleOptions = (part: string) => ({ role: named({ kind: "role", name: thingName(stack, part, 64) }), child });
  return {
    ...input,
    clients,
    own,
    logGroup,
    addresses,
    roles: {
      execution: executionRole(
        name("execution"),
        { stack, options },
        { logGroup: logGroup.arn, secrets },
        roleOptions("execution"),
      ),
      task: taskRole(name("task"), { stack, options }, roleOptions("task")),
    },
    hidden: hiddenValues(args),
  };
}

/** Options of a resource whose name may be taken. */
export function claimed(
  { args: { stack, options }, clients, child }: Pick<EcsBuild, "args" | "clients" | "child">,
  claim: Pick<Claim, "kind" | "name">,
): CustomResourceOptions {
  return claiming(
    clients,
    { ...claim, stack, place: { cluster: options.cluster, namespace: options.namespace.id } },
    child,
  );
}

/** What migrations and seeds get. */
export function taskSettings(
  { services, database }: Pick<ServiceArgs, "services" | "database">,
  task?: TaskDefinition,
): Environment {
  const environment = { ...(database && { DATABASE_URL: "${database.url}" }), ...taskEnvironment(services, task) };
  return { name: TASK, environment };
}

function hiddenValues({ database, secrets }: ServiceArgs): Output<readonly string[]> {
  return all([database?.url, secrets]).apply(([url, known = {}]) => {
    const ofUrl = url === undefined ? [] : [url, ...(URL.canParse(url) ? [new URL(url).password] : [])];
    return [...ofUrl, ...Object.values(known)];
  });
}
