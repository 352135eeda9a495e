/** One wildcard name leads to the gateway: previews come and go and the zone is never written. */
import { randomBytes } from "node:crypto";
import { Resolver } from "node:dns/promises";
import { type ComponentResourceOptions, type Output, output } from "@pulumi/pulumi";
import { z } from "zod";
import type { DnsArgs, DnsComponent, DnsDriver, Finding } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";
import { RoutedHost } from "./routed-host.ts";

const options = z.strictObject({
  domain: z
    .string()
    .min(1)
    .describe("Domain under which the previews' hosts lie; `*.DOMAIN` leads to the gateway. Default: that of `url`."),
  nameservers: z
    .array(z.string().min(1))
    .optional()
    .describe(
      "IP addresses (`address` or `address:port`) that `doctor` asks for the name. Default: the machine's own.",
    ),
});

type Options = z.infer<typeof options>;

class WildcardDns extends PreviewComponent implements DnsComponent {
  readonly hosts: Output<readonly string[]>;

  constructor(name: string, args: DnsArgs<Options>, opts?: ComponentResourceOptions) {
    super("stackling:dns:Wildcard", name, {}, opts);
    const hosts = args.routes.map(
      ({ host, service }) => new RoutedHost(this.childName(service), host, { parent: this }),
    );
    this.hosts = output(hosts.map(({ host }) => host));
    this.registerOutputs({ hosts: this.hosts });
  }
}

export const wildcardDns: DnsDriver<Options> = {
  options,
  component: WildcardDns,
  operations: { check: async (given) => [await checkWildcard(given)] },
  example: () => ({
    options: { domain: "preview.example.dev" },
    routes: [{ host: "pr-1-example.preview.example.dev", service: "web", address: "10.0.0.7:3000" }],
  }),
};

const NOTHING_THERE = new Set(["ENOTFOUND", "ENODATA"]);

/** Asks for a name that nobody can have made a record for, so that only a wildcard answers. */
async function checkWildcard({ domain, nameservers }: Options): Promise<Finding> {
  const zone = new URL(`http://${domain}`).hostname;
  const wildcard = `the wildcard name "*.${zone}"`;
  // RFC 6761, 6.3: resolved by the client itself.
  if (/(^|\.)localhost$/.test(zone)) return { ok: true, what: `${wildcard} leads to this machine for browsers` };
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  if (nameservers) resolver.setServers(nameservers);
  const name = `stackling-${randomBytes(6).toString("hex")}.${zone}`;
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const addresses = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  if (addresses.length > 0) return { ok: true, what: `${wildcard} leads to ${addresses.join(", ")}` };
  const codes = answers.flatMap((answer) => (answer.status === "rejected" ? [codeOf(answer.reason)] : []));
  const trouble = codes.find((code) => !NOTHING_THERE.has(code));
  if (trouble) {
    return { ok: false, what: `${wildcard} cannot be looked up: ${trouble}`, remedy: "let the name server be reached" };
  }
  return {
    ok: false,
    what: `${wildcard} leads nowhere`,
    remedy: `add a record "*.${zone}" that leads to the gateway's address`,
  };
}

function codeOf(reason: unknown): string {
  return reason instanceof Error && "code" in reason ? String(reason.code) : String(reason);
}
