/** A DNS record per host at Route 53; in wildcard mode one record of the operator's leads all hosts to the gateway. */
import { type ComponentResourceOptions, type Output, output } from "@pulumi/pulumi";
import { z } from "zod";
import { accountShape } from "../aws/account.ts";
import { finding, withAccount } from "../aws/check.ts";
import { createClients } from "../aws/clients.ts";
import { ask } from "../aws/errors.ts";
import { createAwsProvider } from "../aws/provider.ts";
import { makeHost } from "../aws/record-resources.ts";
import { ownHosts, recordsAt, removeHost } from "../aws/records.ts";
import type { DnsArgs, DnsComponent, DnsDriver, Finding, TargetChoice } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";
import { hostWithoutPort, recordTarget, recordType } from "./record.ts";
import { RoutedHost } from "./routed-host.ts";

const options = z.strictObject({
  ...accountShape,
  zoneId: z
    .string()
    .regex(/^Z[A-Z0-9]+$/, 'must be the id of a hosted zone such as "Z0123456789ABC"')
    .describe("Id of the hosted zone."),
  mode: z
    .enum(["records", "wildcard"])
    .default("records")
    .describe(
      "`records`: one per host. `wildcard`: nothing per preview; `*.DOMAIN` was made once and leads to the gateway.",
    ),
  target: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Name or IP address of the gateway, to which records lead. Not needed where previews are at the edge themselves.",
    ),
  domain: z
    .string()
    .min(1)
    .optional()
    .describe("Domain of the previews' hosts, for a zone that several Stacklings share, and for `wildcard`."),
  ttlSeconds: z.int().min(0).max(86_400).default(60).describe("How long resolvers keep a record. Default 60."),
});

type Options = z.infer<typeof options>;
type Args = DnsArgs<Options>;

export class Route53Dns extends PreviewComponent implements DnsComponent {
  readonly hosts: Output<readonly string[]>;

  constructor(name: string, args: Args, opts?: ComponentResourceOptions) {
    super("stackling:dns:Route53", name, {}, opts);
    this.hosts = output(args.options.mode === "wildcard" ? this.#wildcard(args) : this.#records(args));
    this.registerOutputs({ hosts: this.hosts });
  }

  #wildcard({ routes }: Args): Output<string>[] {
    return routes.map(({ host, service }) => new RoutedHost(this.childName(service), host, { parent: this }).host);
  }

  #records({ stack, options: given, routes }: Args): Output<string>[] {
    const provider = createAwsProvider(this.childName("aws"), given, { parent: this });
    const { dns } = createClients(given);
    return routes.map((route) => {
      const target = recordTarget(route, given.target);
      const { zoneId, ttlSeconds } = given;
      const input = {
        zoneId,
        host: hostWithoutPort(route.host),
        stack,
        type: target.apply(recordType),
        target,
        ttlSeconds,
      };
      const made = makeHost(this.childName(route.service), dns, input, { parent: this, provider });
      return made.apply(() => route.host);
    });
  }
}

export const route53Dns: DnsDriver<Options> = {
  options,
  plugins: ["@pulumi/aws"],
  component: Route53Dns,
  operations: {
    kinds: ["dns record"],
    async owned(given, stack) {
      if (given.mode === "wildcard") return [];
      const { dns } = createClients(given);
      const found = await ask("listing our DNS records", () => ownHosts(dns, given.zoneId, stack));
      return found
        .filter(({ host }) => given.domain === undefined || host.endsWith(`.${given.domain}`))
        .map(({ host, stack: owner }) => ({ kind: "dns record", id: host, stack: owner }));
    },
    remove: (given, { id: host, stack }) =>
      ask(`removing the DNS record of "${host}"`, () =>
        removeHost(createClients(given).dns, given.zoneId, { host, stack }),
      ),
    check,
  },
  refuses,
  example: () => ({
    options: {
      region: "eu-central-1",
      credentials: "instance",
      zoneId: "Z0123456789ABC",
      mode: "records",
      target: "gateway.example.dev",
      ttlSeconds: 60,
    },
    routes: [{ host: "pr-1-example.preview.example.dev", service: "web", address: "10.0.0.7:3000" }],
  }),
};

function refuses({ service, dns }: TargetChoice): string | undefined {
  const { mode, target } = dns.options;
  const { edge } = service.options;
  const direct = edge !== undefined && edge !== "gateway";
  if (mode === "records" && target === undefined && !direct) {
    return 'records need a "target": the name or IP address of the gateway';
  }
  return undefined;
}

function check(given: Options): Promise<readonly Finding[]> {
  const { mode, domain, zoneId } = given;
  const name = mode === "wildcard" && domain !== undefined ? `*.${domain}` : undefined;
  return withAccount(given, async ({ dns }) => [
    await finding(`hosted zone "${zoneId}"`, async () => {
      const found = await recordsAt(dns, zoneId, name ?? ".");
      return name === undefined || found.length > 0
        ? undefined
        : `there is no record "${name}" that leads to the gateway`;
    }),
  ]);
}
