/** What the driver declares on Pulumi's mocks, as in a preview of the program: the cluster is asked nothing. */
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
import type { KubernetesOptions } from "../../../components/kubernetes/options.ts";
import type { ServiceArgs, ServiceDefinition, TaskDefinition } from "../../../components/ports.ts";
import { kubernetesService } from "../../../components/service/kubernetes.ts";
import { tagged } from "../../../infra/tags.ts";

export const STACK = "shop-pr-1";
export const NAMESPACE = "preview-shop-pr-1";
export const IMAGE = image("1");

export interface Declared {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  readonly opts: Pick<CustomResourceOptions, "parent" | "provider" | "deletedWith">;
}

export type Args = ServiceArgs<KubernetesOptions>;

export interface Declaration {
  readonly all: readonly Declared[];
  readonly addresses: Readonly<Record<string, string>>;
  readonly addressesAreSecret: boolean;
  readonly edge: string | undefined;
  /** All of a kind, such as `Deployment`. */
  of(kind: string): readonly Declared[];
  /** The inputs of the only one of a kind and a child's name. */
  inputs(kind: string, name: string): Record<string, unknown>;
}

const TAGS = { preview: "shop#1", repository: "shop", owner: "ada" };
const COMMIT = "a".repeat(40);

export async function declare(change: Partial<Args> = {}, options: object = {}): Promise<Declaration> {
  const made: Omit<Declared, "opts">[] = [];
  const mocks: runtime.Mocks = {
    call: () => ({}),
    newResource: ({ type, name, inputs, custom }) => {
      if (custom) made.push({ type, name, inputs });
      return { id: `${name}-id`, state: inputs };
    },
  };
  await runtime.setMocks(mocks, "stackling", STACK, true);
  try {
    const opts = new Map<string, ResourceOptions>();
    // Mocks know no transforms; this older form of them sees the same.
    const transformation: ResourceTransformation = ({ type, name, props, opts: given }) => {
      opts.set(`${type} ${name}`, given);
      const resource = { custom: true, type, name, props, opts: given };
      return { props: tagged(resource, { ...TAGS, stack: STACK })?.props ?? props, opts: given };
    };
    const parsed = kubernetesService.options.parse({ kubeconfig: { file: "/srv/kubeconfig" }, ...options });
    const component = new kubernetesService.component(
      "service",
      { ...anArgs(parsed), ...change },
      { transformations: [transformation] },
    );
    const { addresses } = component;
    const edge = component.edge && (await resolved(component.edge));
    const told = { addresses: await resolved(addresses), addressesAreSecret: await isSecret(addresses), edge };
    await runtime.disconnect();
    const all = made.map((one) => ({ ...one, opts: opts.get(`${one.type} ${one.name}`) ?? {} }));
    const of = (kind: string) => all.filter(({ type }) => type.endsWith(`:${kind}`));
    const inputs = (kind: string, name: string) => {
      const found = of(kind).find((one) => one.name === `service-${name}`);
      if (found) return found.inputs;
      throw new Error(`no ${kind} "${name}" among ${all.map((one) => `${one.type} ${one.name}`).join(", ")}`);
    };
    return { all, of, inputs, ...told };
  } finally {
    await runtime.disconnect();
  }
}

/** With a database and the tasks that come with it. */
export function withDatabase(identity = "one"): Pick<Args, "database" | "tasks"> {
  const url = secret("postgres://shop:hunter22@db.test/shop");
  return {
    database: { name: output("shop"), url, identity: output(identity) },
    tasks: [aTask("migrate"), aTask("seed")],
  };
}

export function aTask(name: TaskDefinition["name"], changes: Partial<TaskDefinition> = {}): TaskDefinition {
  return { name, command: `node ${name}.mjs`, directory: ".", image: IMAGE, generation: 0, ...changes };
}

export function aService(changes: Partial<ServiceDefinition> = {}): ServiceDefinition {
  return {
    name: "web",
    kind: "web",
    image: IMAGE,
    directory: ".",
    healthPath: "/health",
    startTimeoutSeconds: 60,
    environment: {},
    dependsOn: [],
    sidecars: [],
    memoryMiB: 512,
    cpu: 0.5,
    ...changes,
  };
}

/** The same program at another commit. */
export function atCommit(digit: string, services: readonly ServiceDefinition[]): Partial<Args> {
  const commit = digit.repeat(40);
  return {
    source: { repository: "https://git.test/shop.git", commit, submodules: false, lfs: false, install: [], build: [] },
    environment: { STACKLING_COMMIT: commit },
    services: services.map((service) => ({ ...service, image: image(digit) })),
  };
}

export function image(digit: string): string {
  return `ghcr.io/acme/shop@sha256:${digit.repeat(64)}`;
}

function anArgs(options: KubernetesOptions): Args {
  return {
    stack: STACK,
    tags: TAGS,
    options,
    tasks: [],
    urls: { web: "https://pr-1-shop.preview.test" },
    generation: 0,
    ...(atCommit(COMMIT.slice(0, 1), [aService()]) as Pick<Args, "source" | "environment" | "services">),
  };
}

function resolved<T>(value: Output<T>): Promise<T> {
  return new Promise((resolve) => value.apply(resolve));
}
