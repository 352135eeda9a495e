/** Services as tasks on ECS Fargate, in a cluster that previews share. */
import { all, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import { checkEcs } from "../aws/check.ts";
import { readLogs } from "../aws/cloud-logs.ts";
import { startBuild } from "../aws/ecs-build.ts";
import { createEcsOperations } from "../aws/ecs-operations.ts";
import { type EcsOptions, ecsOptions } from "../aws/ecs-options.ts";
import * as parts from "../aws/ecs-parts.ts";
import { enforcesEgress } from "../aws/letting-out.ts";
import { ownedAt, removeAt } from "../aws/owned.ts";
import { enginePace } from "../aws/pace.ts";
import { createAwsProvider } from "../aws/provider.ts";
import { refuseEcs } from "../aws/refusals.ts";
import type { ServiceArgs, ServiceComponent, ServiceDefinition, ServiceDriver } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";
import { servicesExample } from "./example.ts";
import { withProxy } from "./proxy.ts";
import { dependenciesOf, startOrder } from "./references.ts";

/**
 * Arguments: `ServiceArgs` with `EcsOptions`. The cluster, its network, the Cloud Map namespace and,
 * for `edge: direct`, the load balancer are there already; all else is made per preview. `addresses`
 * are private names with ports.
 */
export class EcsServices extends PreviewComponent implements ServiceComponent {
  readonly addresses: Output<Readonly<Record<string, string>>>;
  declare readonly edge?: Output<string>;

  constructor(name: string, declared: ServiceArgs<EcsOptions>, opts?: ComponentResourceOptions) {
    super("stackling:service:Ecs", name, {}, opts);
    const { proxy, namespace } = declared.options;
    // The second is where a task finds its role's credentials.
    const args = withProxy(declared, { proxy, inside: [`.${namespace.name}`, "169.254.170.2"] });
    const ordered = startOrder(args.services);
    const provider = createAwsProvider(this.childName("aws"), args.options, { parent: this });
    const build = startBuild({
      args,
      child: { parent: this, provider },
      name: (part) => this.childName(part),
      pace: enginePace(this),
    });
    const edge = parts.readEdge(build);
    const tasks = parts.runTasks(build);
    const ready = new Map<string, Output<string>>();
    const crons: { service: ServiceDefinition; version: parts.Version }[] = [];
    for (const { service } of ordered) {
      const before = dependenciesOf(service).flatMap((dependency) => ready.get(dependency) ?? []);
      const version = parts.after(parts.defineService(build, service), [...tasks, ...before]);
      if (service.kind === "cron") crons.push({ service, version });
      else if (service.kind === "job") ready.set(service.name, parts.runJob(build, service, version));
      else ready.set(service.name, parts.startService(build, service, version, edge));
    }
    const gates = parts.runGates(build, [...ready.values()]);
    if (crons.length > 0) parts.scheduleCrons(build, crons);
    if (edge) this.edge = edge.apply((state) => state.edge);
    this.addresses = all([...ready.values(), ...gates]).apply(() => build.addresses);
    this.registerOutputs({ addresses: this.addresses, ...(this.edge && { edge: this.edge }) });
  }
}

/** What previews own besides their secrets, which are the secrets driver's. */
const OWNED = [
  "listener rule",
  "ecs service",
  "ecs task",
  "schedule group",
  "private name",
  "target group",
  "task definition",
  "role",
  "secret",
  "log group",
] as const;

export const ecsService: ServiceDriver<EcsOptions> = {
  runs: "images",
  options: ecsOptions,
  plugins: ["@pulumi/aws"],
  placedBy: ["region", "cluster"],
  enforcesEgress,
  component: EcsServices,
  operations: {
    ...createEcsOperations(),
    logs: readLogs,
    owned: (options, stack) => ownedAt(options, { only: OWNED, ...(stack !== undefined && { stack }) }),
    kinds: OWNED,
    remove: removeAt,
    check: checkEcs,
  },
  refuses: refuseEcs,
  example: () => ({
    options: ecsOptions.parse({
      region: "eu-central-1",
      credentials: "instance",
      cluster: "previews",
      subnets: ["subnet-0a", "subnet-0b"],
      securityGroups: ["sg-0a"],
      namespace: { id: "ns-0a", name: "previews.internal" },
    }),
    ...servicesExample(
      { repository: "https://git.example.dev/example.git", url: "http://pr-1-example.preview.example.dev" },
      {
        image: `registry.example.dev/example@sha256:${"0".repeat(64)}`,
        memoryMiB: 512,
        cpu: 0.25,
        startTimeoutSeconds: 60,
      },
    ),
  }),
};
