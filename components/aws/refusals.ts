/** What AWS drivers cannot be combined with, said when the config is read. Pure. */
import type { TargetChoice } from "../ports.ts";

/** Of the service driver `ecs`. */
export function refuseEcs({ dns, service, secrets }: TargetChoice): string | undefined {
  if (dns.driver === "gateway") {
    return '"ecs" runs elsewhere than the dns driver "gateway", which serves names of this machine; choose "wildcard", "route53" or "cloudflare"';
  }
  if (secrets.driver === "aws" && secrets.options.region !== service.options.region) {
    return '"ecs" reads secrets of its own region only; give it and the secrets driver the same "region"';
  }
  return undefined;
}
