/** Services as Deployments, CronJobs and Jobs in a namespace of the preview's own. */
import {
  all,
  type ComponentResourceOptions,
  type CustomResourceOptions,
  type Output,
  output,
  type Resource,
  runtime,
  secret,
} from "@pulumi/pulumi";
import { TerminalError } from "../errors.ts";
import { type Awaited, createAwaited } from "../kubernetes/awaited.ts";
import { EXTERNAL_SECRET, HTTP_ROUTE, type NeededKind } from "../kubernetes/claim.ts";
import { declareEdge } from "../kubernetes/edge.ts";
import { declareEnvironment } from "../kubernetes/environment.ts";
import { type DeclaredFlags, declareFlags } from "../kubernetes/flags.ts";
import { declareJob } from "../kubernetes/jobs.ts";
import { clusterAddress, namespaceName } from "../kubernetes/names.ts";
import { declareClaimed } from "../kubernetes/namespace.ts";
import * as operations from "../kubernetes/operations.ts";
import { type KubernetesOptions, options } from "../kubernetes/options.ts";
import { FLAGS_PATH, type PodDefinition, podSpec, portOf } from "../kubernetes/pods.ts";
import { createProvider } from "../kubernetes/provider.ts";
import { declareCronJob, declareDeployment } from "../kubernetes/workloads.ts";
import type { ServiceArgs, ServiceComponent, ServiceDefinition, ServiceDriver, TaskDefinition } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";
import { servicesExample } from "./example.ts";
import { flagFileVariables } from "./flags.ts";
import { withProxy } from "./proxy.ts";
import { dependenciesOf, type ReferenceValues, startOrder } from "./references.ts";
import { commitOf, type Declared, environmentOf } from "./sources.ts";
import { isGate, taskEnvironment, taskKey, taskWords } from "./tasks.ts";

type Args = ServiceArgs<KubernetesOptions>;

/** Of a migration or seed; an engine's run has fifteen minutes for everything. */
const TASK_TIMEOUT_SECONDS = 600;

/** What everything in one preview's namespace is declared with. */
interface Place {
  readonly namespace: string;
  /** Private address by service. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly known: Output<Pick<ReferenceValues, "databaseUrl" | "secrets">>;
  /** Values that must not show in log lines. Secret. */
  readonly hidden: Output<readonly string[]>;
  /** The file with flag definitions, of services alone. */
  readonly flags: DeclaredFlags | undefined;
  /** Must be there before any pod. */
  readonly walls: readonly Resource[];
  readonly inside: CustomResourceOptions;
  readonly awaited: Awaited;
}

class KubernetesServices extends PreviewComponent implements ServiceComponent {
  readonly addresses: Output<Readonly<Record<string, string>>>;
  readonly edge?: Output<string>;

  constructor(name: string, declared: Args, opts?: ComponentResourceOptions) {
    super("stackling:service:Kubernetes", name, {}, opts);
    const { proxy } = declared.options.network;
    const args = withProxy(declared, { proxy: proxy?.url, inside: [".svc", ".cluster.local"] });
    const ordered = startOrder(args.services);
    const place = this.#place(args);
    const tasks = this.#tasks(args, place, {
      tasks: args.tasks.filter((task) => !isGate(task)),
      behind: [],
    });
    const ready = new Map<string, Output<unknown>>();
    for (const { service } of ordered) {
      const before = dependenciesOf(service).flatMap((dependency) => ready.get(dependency) ?? []);
      ready.set(service.name, this.#service(args, place, service, [...tasks, ...before]));
    }
    const gates = this.#tasks(args, place, { tasks: args.tasks.filter(isGate), behind: [...ready.values()] });
    const childName = (part: string) => this.childName(part);
    const edge = declareEdge({ ...place, urls: args.urls, options: args.options, childName });
    if (edge) this.edge = edge;
    const reached = reachable(args, place);
    this.addresses = runtime.isDryRun() ? output(reached) : all([...ready.values(), ...gates]).apply(() => reached);
    // Known from the start: what is awaited fails the program by itself.
    this.registerOutputs({ addresses: reached });
  }

  #place(args: Args): Place {
    const { stack, options } = args;
    const namespace = namespaceName(options.namespacePrefix, stack);
    const provider = createProvider(this.childName("cluster"), options, this);
    const awaited = createAwaited(options);
    const claimed = declareClaimed({
      name: namespace,
      stack,
      repository: args.tags.repository,
      options,
      needed: neededKinds(args),
      awaited,
      childName: (part) => this.childName(part),
      parent: this,
      provider,
    });
    const known = knownValues(args);
    const inside = { parent: this, provider, dependsOn: claimed.namespace, deletedWith: claimed.namespace };
    // No service's name begins with a digit.
    const childName = this.childName("0-flags");
    return {
      namespace,
      addresses: addressesIn(namespace, args.services),
      known,
      hidden: secret(known.apply(hiddenValues)),
      flags: args.flags === undefined ? undefined : declareFlags(args.flags, { namespace, childName, inside }),
      walls: claimed.walls,
      inside,
      awaited,
    };
  }

  /** One after the other, all behind what must be ready. */
  #tasks(
    args: Args,
    place: Place,
    { tasks, behind }: { readonly tasks: readonly TaskDefinition[]; readonly behind: readonly Output<unknown>[] },
  ): Output<unknown>[] {
    const done: Output<unknown>[] = [];
    for (const task of tasks) {
      const name = `task-${task.name}`;
      const declared = {
        ...(args.database && { DATABASE_URL: "${database.url}" }),
        ...taskEnvironment(args.services, task),
      };
      const environment = this.#environment(args, place, { name, environment: declared });
      const words = taskWords(task.name);
      const job = declareJob({
        ...place,
        name: task.name,
        kind: "task",
        key: taskKey(args, task),
        pod: podSpec(taskPod(args, task, environment.envFrom), args.options),
        action: words.doing,
        failure: words.reason,
        timeoutSeconds: task.timeoutSeconds ?? TASK_TIMEOUT_SECONDS,
        scheduleTimeoutSeconds: args.options.scheduleTimeoutSeconds,
        childName: this.childName(name),
        inside: { ...place.inside, dependsOn: after([...place.walls, ...environment.resources], [...behind, ...done]) },
      });
      done.push(job.done);
    }
    return done;
  }

  #service(args: Args, place: Place, service: ServiceDefinition, before: readonly Output<unknown>[]) {
    const { flags } = place;
    const declared = { ...(flags ? flagFileVariables(FLAGS_PATH) : {}), ...service.environment };
    const environment = this.#environment(args, place, { name: service.name, environment: declared });
    const { scheduleTimeoutSeconds } = args.options;
    const common = {
      ...place,
      pod: podSpec({ ...servicePod(args, service, environment.envFrom), flags: flags?.name }, args.options),
      scheduleTimeoutSeconds,
      childName: this.childName(service.name),
      inside: {
        ...place.inside,
        dependsOn: after([...place.walls, ...(flags ? [flags.resource] : []), ...environment.resources], before),
      },
    };
    if (service.kind === "cron") return declareCronJob({ ...common, service, generation: args.generation }).ready;
    if (service.kind !== "job") return declareDeployment({ ...common, service, generation: args.generation }).ready;
    return declareJob({
      ...common,
      name: service.name,
      kind: "job",
      key: output([commitOf(args, service), String(args.generation), JSON.stringify(service)].join("/")),
      action: `running service "${service.name}"`,
      failure: "StartFailed",
      timeoutSeconds: service.startTimeoutSeconds,
    }).done;
  }

  #environment(args: Args, place: Place, of: Pick<ServiceDefinition, "name" | "environment">) {
    return declareEnvironment({
      name: of.name,
      environment: of.environment,
      namespace: place.namespace,
      open: { urls: args.urls, addresses: place.addresses },
      hidden: place.known,
      locations: args.secretReferences ?? {},
      childName: (part) => this.childName(part),
      inside: place.inside,
    });
  }
}

export const kubernetesService: ServiceDriver<KubernetesOptions> = {
  runs: "images",
  options,
  plugins: ["@pulumi/kubernetes"],
  // By NetworkPolicies; that the cluster's network heeds them is the operator's to see to.
  enforcesEgress: async () => true,
  placedBy: ["kubeconfig", "context", "namespacePrefix"],
  component: KubernetesServices,
  operations,
  refuses: ({ service, dns }) => {
    const { edge } = options.parse(service.options);
    if (edge === "gateway" || dns.driver !== "gateway") return undefined;
    return 'its option "edge" is direct, but the dns driver "gateway" leads every host to Stackling\'s gateway; choose another dns driver, or "edge: gateway"';
  },
  example: () => ({
    options: options.parse({ kubeconfig: { file: "/etc/stackling/kubeconfig" } }),
    ...servicesExample(
      { repository: "https://git.example.dev/acme/shop.git", url: "http://pr-1-example.localhost:4000" },
      {
        image: `registry.example.dev/acme/shop@sha256:${"0".repeat(64)}`,
        memoryMiB: 256,
        cpu: 0.5,
        startTimeoutSeconds: 60,
      },
    ),
    environment: { STACKLING_KEY: "example#1" },
  }),
};

function neededKinds({ options: { edge }, secretReferences = {} }: Args): NeededKind[] {
  const outside = Object.values(secretReferences).some(({ kind }) => kind === "external");
  const routes = edge !== "gateway" && "gateway" in edge.direct;
  return [...(routes ? [HTTP_ROUTE] : []), ...(outside ? [EXTERNAL_SECRET] : [])];
}

function servicePod(args: Args, service: ServiceDefinition, envFrom: PodDefinition["envFrom"]): PodDefinition {
  const { image, environment: _e, dependsOn: _d, schedule: _s, source: _o, ...rest } = service;
  const port = service.kind === "web" ? [{ name: "PORT", value: String(portOf(service)) }] : [];
  return {
    ...rest,
    image: required(image, `service "${service.name}"`),
    env: [...own(args, service), ...port],
    envFrom,
  };
}

/** In the image and the size of the service whose image it is. */
function taskPod(args: Args, task: TaskDefinition, envFrom: PodDefinition["envFrom"]): PodDefinition {
  const model = args.services.find(({ image }) => image === task.image) ?? args.services[0];
  return {
    name: task.name,
    kind: "job",
    image: required(task.image, `task "${task.name}"`),
    command: task.command,
    directory: task.directory,
    sidecars: [],
    startTimeoutSeconds: TASK_TIMEOUT_SECONDS,
    memoryMiB: model?.memoryMiB ?? 512,
    cpu: model?.cpu ?? 0.5,
    ...(model?.readOnlyRoot && { readOnlyRoot: true }),
    env: own(args, { environment: taskEnvironment(args.services, task) }),
    envFrom,
  };
}

/** What every process is told, and no ConfigMap may hold: it changes with each commit. */
function own(args: Args, service: Declared): { name: string; value: string }[] {
  return Object.entries(environmentOf(args, service)).map(([name, value]) => ({ name, value }));
}

function required(image: string | undefined, what: string): string {
  if (image !== undefined) return image;
  throw new TerminalError({
    reason: "SpecInvalid",
    userMessage: `running ${what}: this target runs images, not source; write "image: registry/name:{sha}" in preview.yaml`,
  });
}

function knownValues({ database, secrets }: Args): Place["known"] {
  return all([database?.url, secrets]).apply(([databaseUrl, known]) => ({
    ...(databaseUrl !== undefined && { databaseUrl }),
    secrets: known ?? {},
  }));
}

function hiddenValues({ databaseUrl, secrets }: Pick<ReferenceValues, "databaseUrl" | "secrets">): string[] {
  const password = databaseUrl && URL.canParse(databaseUrl) ? [databaseUrl, new URL(databaseUrl).password] : [];
  return [...password, ...Object.values(secrets)];
}

function addressesIn(namespace: string, services: readonly ServiceDefinition[]): Record<string, string> {
  const web = services.filter(({ kind }) => kind === "web");
  return Object.fromEntries(web.map(({ name }) => [name, clusterAddress(namespace, name)]));
}

/** As the gateway reaches them. */
function reachable({ options: { reach } }: Args, { addresses }: Place): Record<string, string> {
  if (reach === "cluster") return { ...addresses };
  return Object.fromEntries(Object.keys(addresses).map((name) => [name, `${reach.host}:${reach.port}`]));
}

/** Resources that are known now, but not before what is awaited; in a preview nothing is. */
function after(resources: readonly Resource[], awaited: readonly Output<unknown>[]): Output<Resource[]> | Resource[] {
  if (runtime.isDryRun() || awaited.length === 0) return [...resources];
  return all([...awaited]).apply(() => [...resources]);
}
