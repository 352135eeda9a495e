/** Stackling on ECS, with what its previews there need. */
import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup.js";
import { Cluster } from "@pulumi/aws/ecs/cluster.js";
import { ClusterCapacityProviders } from "@pulumi/aws/ecs/clusterCapacityProviders.js";
import { PrivateDnsNamespace } from "@pulumi/aws/servicediscovery/privateDnsNamespace.js";
import { type ComponentResourceOptions, type Output, output } from "@pulumi/pulumi";
import { PreviewComponent } from "../../components/preview-component.ts";
import { createCosts } from "./aws-costs.ts";
import { createEntrance } from "./aws-entrance.ts";
import { createRoles } from "./aws-roles.ts";
import { createService } from "./aws-service.ts";
import { createState } from "./aws-state.ts";
import type { InstallArgs } from "./install.ts";
import type { AwsSettings } from "./settings.ts";

export interface AwsPlatformArgs extends InstallArgs, Omit<AwsSettings, "account"> {
  readonly region: string;
}

/** Where every part goes. */
export interface Site {
  readonly name: string;
  readonly childName: (part: string) => string;
  readonly parent: PreviewComponent;
}

/**
 * Load balancer with wildcard certificate, the service on Fargate, its roles, a private bucket for the
 * state, a private DNS namespace, cluster and security group for previews, and an alarm on costs.
 * Network and Postgres are the operator's; `stackling.yaml` names what is made here by
 * `${platform.NAME}`, see `outputs`. Give it the account's provider; it makes none.
 */
export class AwsPlatform extends PreviewComponent {
  readonly outputs: Readonly<Record<string, Output<string>>>;

  constructor(name: string, args: AwsPlatformArgs, opts: ComponentResourceOptions) {
    super("stackling:platform:Aws", name, {}, opts);
    const parent = { parent: this };
    const childName = (part: string) => this.childName(part);
    const site: Site = { name, childName, parent: this };
    const state = createState(site);
    const entrance = createEntrance(site, args);
    const cluster = new Cluster(
      childName("cluster"),
      { name, settings: [{ name: "containerInsights", value: "disabled" }] },
      parent,
    );
    new ClusterCapacityProviders(
      childName("capacity"),
      { clusterName: cluster.name, capacityProviders: ["FARGATE", "FARGATE_SPOT"] },
      parent,
    );
    const namespace = new PrivateDnsNamespace(
      childName("previews"),
      { name: args.previewNamespace, vpc: args.vpcId, description: "Services of Stackling's previews." },
      parent,
    );
    const logs = new LogGroup(
      childName("logs"),
      { name: `/stackling-platform/${name}`, retentionInDays: args.logRetentionDays },
      parent,
    );
    const known = {
      url: output(`https://${args.domain}`),
      cluster: cluster.name,
      namespaceId: namespace.id,
      namespaceName: namespace.name,
      securityGroup: entrance.previewGroup.id,
      serviceSecurityGroup: entrance.serviceGroup.id,
      listener: entrance.listener.arn,
      stateUrl: state.bucket.apply((bucket) => `s3://${bucket}?region=${args.region}`),
    };
    const roles = createRoles(site, {
      ...args,
      bucket: state.arn,
      cluster: cluster.name,
      listener: entrance.listener.arn,
      logs: logs.arn,
    });
    createService(site, {
      ...args,
      configuration: output(known).apply((values) => fill(args.configuration, values)),
      cluster: cluster.arn,
      logs: logs.name,
      roles,
      entrance,
    });
    createCosts(site, args);
    this.outputs = known;
    this.registerOutputs(known);
  }
}

/** The configuration with `${platform.NAME}` replaced. Throws for a name that is not known, and lists those that are. */
export function fill(configuration: string, values: Readonly<Record<string, string>>): string {
  return configuration.replaceAll(/\$\{platform\.([A-Za-z]+)\}/g, (whole, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value !== undefined) return value;
    throw new Error(`reading the configuration: "${whole}" is none of ${Object.keys(values).join(", ")}`);
  });
}
