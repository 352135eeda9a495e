import { type DriverName, registry } from "../../components/registry.ts";
import { dnsContract } from "../contracts/dns.ts";

/** A driver without a line here fails the type check. */
const suites: Record<DriverName<"dns">, () => void> = {
  gateway: () => dnsContract({ name: "gateway", load: registry.dns.gateway }),
  wildcard: () => dnsContract({ name: "wildcard", load: registry.dns.wildcard, recordOf: () => undefined }),
};

for (const run of Object.values(suites)) run();
