/** What a preview's resources must never be, whatever made them. Pure functions over type and inputs. */
import { type Container, containersOf, type PodSpec, podOf } from "./pods.ts";
import { isOurs, isTaggable } from "./tagging.ts";
import { listOf, type Properties, recordOf } from "./values.ts";

export interface PolicyOptions {
  /** `advisory` tells, `mandatory` stops the update. */
  readonly level: "mandatory" | "advisory";
  /** Hosts, or starts of image names such as `ghcr.io/acme`; absent: images may come from anywhere. */
  readonly registries?: readonly string[];
  /** The most that one container or process may ask for. */
  readonly ceiling?: { readonly memoryMiB: number; readonly cpu: number };
}

export interface Resource {
  /** Type token, such as `kubernetes:apps/v1:Deployment`. */
  readonly type: string;
  /** Inputs as the provider gets them. */
  readonly props: Properties;
}

export interface Rule {
  /** `no-privileged-pods`, as violations name it. */
  readonly name: string;
  readonly description: string;
  /** What is wrong, in words; undefined when the resource is as it should be. */
  readonly check: (resource: Resource, options: PolicyOptions) => string | undefined;
}

export const rules: readonly Rule[] = [
  {
    name: "tags-present",
    description: "What can bear tags bears those of its preview, so that bill, sweep and metrics find it.",
    check: ({ type, props }) =>
      isTaggable(type) && !isOurs(type, props) ? "it bears no tag of its preview" : undefined,
  },
  {
    name: "no-public-bucket",
    description: "No bucket can be read or written by everybody.",
    check: ({ type, props }) => {
      if (!/^aws:s3\//.test(type)) return undefined;
      const acl = props.acl;
      if (typeof acl === "string" && acl.startsWith("public-")) return `its access list is "${acl}"`;
      if (!type.endsWith(":BucketPublicAccessBlock")) return undefined;
      const open = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];
      const off = open.find((name) => props[name] === false);
      return off && `it sets "${off}" to false`;
    },
  },
  {
    name: "no-public-database",
    description: "No database server has an address of its own on the internet.",
    check: ({ type, props }) =>
      /^aws:(rds|neptune|docdb|redshift)\//.test(type) && props.publiclyAccessible === true
        ? "it is publicly accessible"
        : undefined,
  },
  {
    name: "nothing-dear-per-preview",
    description: "Load balancers and database instances are shared: one for each preview costs more than the preview.",
    check: dear,
  },
  {
    name: "only-listed-registries",
    description: "Images come from the registries that the operator listed.",
    check: (resource, { registries }) => {
      const stray = registries && containersOf(resource).find(({ image }) => image && !isListed(image, registries));
      return stray && `image "${stray.image}" is from none of ${registries.map((name) => `"${name}"`).join(", ")}`;
    },
  },
  {
    name: "no-privileged-pods",
    description: "No container gets more of its host than a process of its own.",
    check: (resource) => {
      const pod = podOf(resource);
      const container = containersOf(resource).map(privilege).find(Boolean);
      return (pod && hostAccess(pod)) ?? container;
    },
  },
  {
    name: "sizes-under-the-ceiling",
    description: "No container or process asks for more than the operator's limits.",
    check: (resource, { ceiling }) => {
      if (!ceiling) return undefined;
      for (const { name, memoryMiB = 0, cpu = 0 } of containersOf(resource)) {
        if (memoryMiB > ceiling.memoryMiB)
          return `"${name}" may use ${memoryMiB} MiB, the limit is ${ceiling.memoryMiB}`;
        if (cpu > ceiling.cpu) return `"${name}" may use ${cpu} CPU, the limit is ${ceiling.cpu}`;
      }
      return undefined;
    },
  },
];

/** An instance that scales to what is used, made with its cluster's clone, is what a database branch is on Aurora. */
function dear({ type, props }: Resource): string | undefined {
  if (/^aws:(lb|alb|elb|elasticloadbalancing|elasticloadbalancingv2)\/loadBalancer:LoadBalancer$/.test(type))
    return "it is a load balancer";
  if (type === "aws:rds/instance:Instance") return "it is a database instance";
  if (type === "aws:rds/clusterInstance:ClusterInstance" && props.instanceClass !== "db.serverless")
    return "it is a database instance of a fixed size";
  if (type === "kubernetes:core/v1:Service" && recordOf(props.spec).type === "LoadBalancer")
    return "it is a Service of type LoadBalancer";
  return undefined;
}

/** `ghcr.io/acme` lists `ghcr.io/acme/shop`, never `ghcr.io/acme-evil/shop`. */
function isListed(image: string, registries: readonly string[]): boolean {
  return registries.some((registry) => {
    const start = registry.replace(/\/+$/, "");
    return image === start || ["/", ":", "@"].some((next) => image.startsWith(start + next));
  });
}

function hostAccess({ spec }: PodSpec): string | undefined {
  const shared = ["hostNetwork", "hostPID", "hostIPC"].find((name) => spec[name] === true);
  if (shared) return `its pods set "${shared}"`;
  const volume = listOf(spec.volumes).find((entry) => "hostPath" in entry);
  return volume && `its pods mount a folder of the node as "${String(volume.name)}"`;
}

function privilege({ name, security }: Container): string | undefined {
  if (security.privileged === true) return `container "${name}" is privileged`;
  if (security.allowPrivilegeEscalation === true) return `container "${name}" may gain privileges`;
  if (security.runAsUser === 0) return `container "${name}" runs as root`;
  const added = recordOf(security.capabilities).add;
  return Array.isArray(added) && added.length > 0 ? `container "${name}" adds capabilities` : undefined;
}
