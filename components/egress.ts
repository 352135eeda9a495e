import type { Input } from "@pulumi/pulumi";

/** Where the processes of a preview may go beside its own services and its database. */
export interface EgressDefinition {
  /** Public hosts, through the egress proxy: `api.stripe.com`, `*.slack.com`, `search.acme.dev:9243`. */
  readonly hosts: readonly string[];
  /** The same of the operator's, which may also lead into private networks or be addresses. */
  readonly trusted: readonly string[];
  /** `host:port` of the operator's that is reached without the proxy, such as a broker. */
  readonly direct: Input<readonly string[]>;
}
