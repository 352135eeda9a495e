/** What the ECS driver declares on Pulumi's mocks, while a played ECS says that everything runs. */
import {
  type CustomResourceOptions,
  isSecret,
  type Output,
  output,
  type ResourceOptions,
  type ResourceTransformation,
  runtime,
  secret,
} from "@pulumi/pulumi";
import { type EcsOptions, ecsOptions } from "../../../components/aws/ecs-options.ts";
import type { ServiceArgs, ServiceDefinition, TaskDefinition } from "../../../components/ports.ts";
import { EcsServices } from "../../../components/service/ecs.ts";
import type { AwsServer } from "../../support/aws-server.ts";
import { testAccount } from "./account.ts";

export const STACK = "shop-pr-1";
export type Args = ServiceArgs<EcsOptions>;

export interface Declared {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly opts: Pick<CustomResourceOptions, "parent" | "provider" | "ignoreChanges" | "envVarMappings">;
}

export interface Declaration {
  readonly all: readonly Declared[];
  readonly addresses: Readonly<Record<string, string>>;
  readonly addressesAreSecret: boolean;
  readonly edge: string | undefined;
  /** The only one of a type's last word and a child's name, such as `TaskDefinition` and `service-web`. */
  one(kind: string, name: string): Declared;
}

const TAGS = { preview: "shop#1", stack: STACK, owner: "ada" };

/** `aws` answers as if every service ran the version it was given; `dryRun` asks it nothing. */
export async function declare(
  aws: AwsServer,
  change: Partial<Args> = {},
  given: object = {},
  dryRun = false,
): Promise<Declaration> {
  const all: Omit<Declared, "opts">[] = [];
  await runtime.setMocks(mocks(all), "stackling", STACK, dryRun);
  try {
    playSteady(aws, all);
    const opts = new Map<string, ResourceOptions>();
    const record: ResourceTransformation = ({ type, name, props, opts: its }) => {
      opts.set(`${type} ${name}`, its);
      return { props, opts: its };
    };
    const component = new EcsServices(
      "service",
      { ...anArgs(aws.url, given), ...change },
      { transformations: [record] },
    );
    const [addresses, edge] = await Promise.all([
      resolved(component.addresses),
      component.edge && resolved(component.edge),
    ]);
    const addressesAreSecret = await isSecret(component.addresses);
    await runtime.disconnect();
    const declared = all.map((one) => ({ ...one, opts: opts.get(`${one.type} ${one.name}`) ?? {} }));
    const one = (kind: string, name: string) => {
      const found = declared.filter(({ type, name: its }) => type.endsWith(`:${kind}`) && its === `service-${name}`);
      if (found.length === 1 && found[0]) return found[0];
      throw new Error(
        `${found.length} of ${kind} "${name}" among ${declared.map(({ type, name: its }) => `${type} ${its}`).join(", ")}`,
      );
    };
    return { all: declared, addresses, addressesAreSecret, edge, one };
  } finally {
    await runtime.disconnect();
  }
}

export function aService(changes: Partial<ServiceDefinition> = {}): ServiceDefinition {
  return {
    name: "web",
    kind: "web",
    image: image("1"),
    directory: ".",
    healthPath: "/health",
    startTimeoutSeconds: 60,
    environment: {},
    dependsOn: [],
    sidecars: [],
    memoryMiB: 512,
    cpu: 0.25,
    ...changes,
  };
}

/** With a database and the tasks that come with it. */
export function withDatabase(): Pick<Args, "database" | "tasks"> {
  const url = secret("postgres://shop:hunter22@db.test/shop");
  return { database: { name: output("shop"), url, identity: output("one") }, tasks: [aTask("migrate"), aTask("seed")] };
}

/** The same program at another commit. */
export function atCommit(digit: string): Pick<Args, "source" | "environment" | "services"> {
  const commit = digit.repeat(40);
  return {
    source: { repository: "https://git.test/shop.git", commit, submodules: false, lfs: false, install: [], build: [] },
    environment: { STACKLING_COMMIT: commit },
    services: [aService({ image: image(digit) })],
  };
}

export function image(digit: string): string {
  return `123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop@sha256:${digit.repeat(64)}`;
}

/** Containers of a task definition, by name. */
export function containersOf({ inputs }: Declared): Record<string, Container> {
  const containers = JSON.parse(String(inputs.containerDefinitions)) as Container[];
  return Object.fromEntries(containers.map((container) => [container.name, container]));
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly entryPoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment: readonly { readonly name: string; readonly value: string }[];
  readonly secrets: readonly { readonly name: string; readonly valueFrom: string }[];
  readonly healthCheck?: { readonly command: readonly string[] };
  readonly portMappings?: readonly { readonly containerPort: number }[];
  readonly essential: boolean;
  readonly mountPoints?: readonly object[];
  readonly dependsOn?: readonly object[];
  readonly readonlyRootFilesystem?: boolean;
  readonly repositoryCredentials?: { readonly credentialsParameter: string };
}

function aTask(name: TaskDefinition["name"]): TaskDefinition {
  return { name, command: `node ${name}.mjs`, directory: "server", image: image("1"), generation: 0 };
}

function anArgs(endpoint: string, given: object): Args {
  const options = ecsOptions.parse({
    ...testAccount(endpoint),
    cluster: "previews",
    subnets: ["subnet-1"],
    securityGroups: ["sg-1"],
    namespace: { id: "ns-1", name: "previews.internal" },
    ...given,
  });
  return {
    stack: STACK,
    tags: TAGS,
    options,
    tasks: [],
    urls: { web: "https://pr-1-shop.preview.test" },
    generation: 0,
    ...atCommit("1"),
  };
}

/** ARNs as AWS gives them; a task definition's follows from what is in it. */
function mocks(all: Omit<Declared, "opts">[]): runtime.Mocks {
  const revisions: string[] = [];
  return {
    call: () => ({}),
    newResource: ({ type, name, inputs, custom }) => {
      if (custom) all.push({ type, name, inputs });
      const text = JSON.stringify(inputs);
      if (type.endsWith(":TaskDefinition") && !revisions.includes(text)) revisions.push(text);
      const arn = type.endsWith(":TaskDefinition")
        ? `arn:aws:ecs:eu-central-1:123456789012:task-definition/${inputs.family}:${revisions.indexOf(text) + 1}`
        : `arn:aws:${type.split(":")[1]?.split("/")[0]}:eu-central-1:123456789012:thing:${name}`;
      return { id: `${name}-id`, state: { ...inputs, arn, versionId: `v-${name}` } };
    },
  };
}

function playSteady(aws: AwsServer, all: readonly Omit<Declared, "opts">[]): void {
  aws.answers = {
    DescribeServices: ({ services: [name] = [] }) => {
      const declared = all.find(({ type, inputs }) => type === "aws:ecs/service:Service" && inputs.name === name);
      const taskDefinition = String(declared?.inputs.taskDefinition);
      const deployments = [{ status: "PRIMARY", taskDefinition, rolloutState: "COMPLETED" as const, runningCount: 1 }];
      return { services: declared ? [{ status: "ACTIVE", desiredCount: 1, deployments }] : [] };
    },
    DescribeClusters: () => ({
      clusters: [{ status: "ACTIVE", clusterArn: "arn:aws:ecs:eu-central-1:123456789012:cluster/previews" }],
    }),
    DescribeLogStreams: () => ({ logStreams: [] }),
    ListTasks: () => ({ taskArns: [] }),
    RunTask: ({ clientToken }) => ({ tasks: [{ taskArn: `task/${clientToken}` }] }),
    DescribeTasks: ({ tasks = [] }) => ({
      tasks: tasks.map((taskArn) => ({ taskArn, lastStatus: "STOPPED", containers: [{ name: "task", exitCode: 0 }] })),
    }),
    ...aws.answers,
  };
}

function resolved<T>(value: Output<T>): Promise<T> {
  return new Promise((resolve) => value.apply(resolve));
}
