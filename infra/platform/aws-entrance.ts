import { Certificate } from "@pulumi/aws/acm/certificate.js";
import { CertificateValidation } from "@pulumi/aws/acm/certificateValidation.js";
import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup.js";
import { Listener } from "@pulumi/aws/lb/listener.js";
import { LoadBalancer } from "@pulumi/aws/lb/loadBalancer.js";
import { TargetGroup } from "@pulumi/aws/lb/targetGroup.js";
import { Record as DnsRecord } from "@pulumi/aws/route53/record.js";
import { SecurityGroupEgressRule } from "@pulumi/aws/vpc/securityGroupEgressRule.js";
import { SecurityGroupIngressRule } from "@pulumi/aws/vpc/securityGroupIngressRule.js";
import type { Output } from "@pulumi/pulumi";
import type { AwsPlatformArgs, Site } from "./aws.ts";
import { PORT } from "./install.ts";

const ANYWHERE = "0.0.0.0/0";
/** Event streams and WebSockets are silent for minutes. */
const IDLE_SECONDS = 600;
/** Which versions and ciphers are offered: ELB docs, "Security policies for your Application Load Balancer". */
const TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06";

export interface Entrance {
  readonly listener: Listener;
  readonly targets: TargetGroup;
  /** Of the service's tasks. */
  readonly serviceGroup: SecurityGroup;
  /** Of the previews' tasks, which let in the service and each other. */
  readonly previewGroup: SecurityGroup;
}

/** The one load balancer, for pages and previews alike, with its certificate, names and walls. */
export function createEntrance(site: Site, args: AwsPlatformArgs): Entrance {
  const { childName, parent } = site;
  const { balancerGroup, ...groups } = createGroups(site, args);
  const balancer = new LoadBalancer(
    childName("balancer"),
    {
      loadBalancerType: "application",
      internal: false,
      subnets: [...args.publicSubnetIds],
      securityGroups: [balancerGroup.id],
      idleTimeout: IDLE_SECONDS,
      dropInvalidHeaderFields: true,
    },
    { parent },
  );
  const targets = new TargetGroup(
    childName("targets"),
    {
      vpcId: args.vpcId,
      targetType: "ip",
      port: PORT,
      protocol: "HTTP",
      deregistrationDelay: 30,
      // ECS ends a task that fails this, so it asks for the process and not for what that needs.
      healthCheck: { path: "/healthz", matcher: "200", interval: 10, timeout: 5, healthyThreshold: 2 },
    },
    { parent, dependsOn: balancer },
  );
  const listener = new Listener(
    childName("listener"),
    {
      loadBalancerArn: balancer.arn,
      port: 443,
      protocol: "HTTPS",
      sslPolicy: TLS_POLICY,
      certificateArn: createCertificate(site, args),
      defaultActions: [{ type: "forward", targetGroupArn: targets.arn }],
    },
    { parent },
  );
  new Listener(
    childName("redirect"),
    {
      loadBalancerArn: balancer.arn,
      port: 80,
      protocol: "HTTP",
      defaultActions: [{ type: "redirect", redirect: { protocol: "HTTPS", port: "443", statusCode: "HTTP_301" } }],
    },
    { parent },
  );
  for (const [part, name] of [
    ["name", args.domain],
    ["name-previews", `*.${args.domain}`],
  ] as const) {
    new DnsRecord(
      childName(part),
      {
        zoneId: args.zoneId,
        name,
        type: "A",
        aliases: [{ name: balancer.dnsName, zoneId: balancer.zoneId, evaluateTargetHealth: false }],
      },
      { parent },
    );
  }
  return { listener, targets, ...groups };
}

/** ARN, once it is issued. The domain and the names below it are proved by one and the same record. */
function createCertificate({ childName, parent }: Site, { domain, zoneId }: AwsPlatformArgs): Output<string> {
  const certificate = new Certificate(
    childName("certificate"),
    { domainName: domain, subjectAlternativeNames: [`*.${domain}`], validationMethod: "DNS" },
    { parent },
  );
  const proof = certificate.domainValidationOptions.apply(([first]) => {
    if (!first) throw new Error(`proving that "${domain}" is ours: AWS named no record`);
    return first;
  });
  const record = new DnsRecord(
    childName("certificate-proof"),
    {
      zoneId,
      name: proof.resourceRecordName,
      type: proof.resourceRecordType,
      records: [proof.resourceRecordValue],
      ttl: 300,
      allowOverwrite: true,
    },
    { parent },
  );
  const validation = new CertificateValidation(
    childName("certificate-issued"),
    { certificateArn: certificate.arn, validationRecordFqdns: [record.fqdn] },
    { parent },
  );
  return validation.certificateArn;
}

/** Visitors reach the load balancer, that the service, that the previews; previews reach each other. */
function createGroups({ childName, parent }: Site, { vpcId, allowedCidrs, previewEgress }: AwsPlatformArgs) {
  const group = (part: string, description: string) =>
    new SecurityGroup(childName(part), { vpcId, description }, { parent });
  const balancerGroup = group("balancer-group", "Load balancer of Stackling");
  const serviceGroup = group("service-group", "Stackling");
  const previewGroup = group("preview-group", "Previews of Stackling");
  const groups = [
    [balancerGroup, "balancer"],
    [serviceGroup, "service"],
    ...(previewEgress ? [] : [[previewGroup, "preview"] as const]),
  ] as const;
  for (const [owner, name] of groups) {
    new SecurityGroupEgressRule(
      childName(`${name}-out`),
      { securityGroupId: owner.id, ipProtocol: "-1", cidrIpv4: ANYWHERE },
      { parent: owner },
    );
  }
  if (previewEgress) {
    const letOut = (part: string, to: object) =>
      new SecurityGroupEgressRule(
        childName(part),
        { securityGroupId: previewGroup.id, ipProtocol: "tcp", ...to },
        { parent: previewGroup },
      );
    letOut("preview-out-preview", { ipProtocol: "-1", referencedSecurityGroupId: previewGroup.id });
    for (const { to, port } of previewEgress) {
      const part = `preview-out-${to.replace(/[^0-9a-z]+/g, "-")}-${port}`;
      letOut(part, { ...destinationOf(to), fromPort: port, toPort: port });
    }
  }
  for (const [index, cidr] of allowedCidrs.entries()) {
    for (const port of [80, 443]) {
      new SecurityGroupIngressRule(
        childName(`balancer-in-${port}-${index}`),
        { securityGroupId: balancerGroup.id, ipProtocol: "tcp", fromPort: port, toPort: port, cidrIpv4: cidr },
        { parent: balancerGroup },
      );
    }
  }
  const admit = (part: string, to: SecurityGroup, from: SecurityGroup, ports: { fromPort?: number; toPort?: number }) =>
    new SecurityGroupIngressRule(
      childName(part),
      {
        securityGroupId: to.id,
        referencedSecurityGroupId: from.id,
        ipProtocol: ports.fromPort === undefined ? "-1" : "tcp",
        ...ports,
      },
      { parent: to },
    );
  admit("service-in", serviceGroup, balancerGroup, { fromPort: PORT, toPort: PORT });
  admit("preview-in-service", previewGroup, serviceGroup, {});
  // Where each preview is at the edge itself.
  admit("preview-in-balancer", previewGroup, balancerGroup, {});
  admit("preview-in-preview", previewGroup, previewGroup, {});
  return { balancerGroup, serviceGroup, previewGroup };
}

function destinationOf(to: string) {
  if (to.startsWith("sg-")) return { referencedSecurityGroupId: to };
  if (to.startsWith("pl-")) return { prefixListId: to };
  return to.includes(":") ? { cidrIpv6: to } : { cidrIpv4: to };
}
