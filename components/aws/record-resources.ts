/** A host's records at Route 53 as resources. */
import { Record } from "@pulumi/aws/route53/record.js";
import type { CustomResourceOptions, Input, Output } from "@pulumi/pulumi";
import { beforeCreate } from "../creation-hook.ts";
import type { Clients } from "./clients.ts";
import { clearHost, clearLeading, ownerName, ownerText } from "./records.ts";

export interface HostInput {
  readonly zoneId: string;
  readonly host: string;
  readonly stack: string;
  /** `A`, `AAAA` or `CNAME`. */
  readonly type: Input<string>;
  readonly target: Input<string>;
  readonly ttlSeconds: number;
}

/** First the mark, then the record, so that nothing of ours is ever without one. Resolves with the host. */
export function makeHost(
  name: string,
  dns: Clients["dns"],
  input: HostInput,
  opts: CustomResourceOptions,
): Output<string> {
  const { zoneId, host, stack, type, target, ttlSeconds: ttl } = input;
  const common = { zoneId, ttl, allowOverwrite: false };
  const owner = new Record(
    `${name}-owner`,
    { ...common, name: ownerName(host), type: "TXT", records: [ownerText(stack)] },
    { ...opts, ...beforeCreate(() => clearHost(dns, zoneId, { host, stack })) },
  );
  const record = new Record(
    name,
    { ...common, name: host, type, records: [target] },
    { ...opts, dependsOn: [owner], ...beforeCreate(() => clearLeading(dns, zoneId, { host, stack })) },
  );
  return record.urn.apply(() => host);
}
