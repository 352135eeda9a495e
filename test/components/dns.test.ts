import { type DriverName, registry } from "../../components/registry.ts";
import { dnsContract } from "../contracts/dns.ts";

/** A driver without a line here fails the type check. */
const suites: Record<DriverName<"dns">, () => void> = {
  gateway: () => dnsContract({ name: "gateway", load: registry.dns.gateway }),
  wildcard: () => dnsContract({ name: "wildcard", load: registry.dns.wildcard, recordOf: () => undefined }),
  cloudflare: () =>
    dnsContract({
      name: "cloudflare",
      load: registry.dns.cloudflare,
      recordOf: ({ host }) => ({ name: host, type: "CNAME", content: "gateway.example.dev" }),
    }),
  route53: () =>
    dnsContract({
      name: "route53",
      load: registry.dns.route53,
      recordOf: ({ host }) => ({ name: host, type: "CNAME", records: ["gateway.example.dev"] }),
    }),
};

// Read by the drivers' examples; no vendor is asked here.
process.env.CLOUDFLARE_API_TOKEN = "token of the example";

for (const run of Object.values(suites)) run();
