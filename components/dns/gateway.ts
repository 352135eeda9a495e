/** Hosts that Stackling's own gateway answers for: a wildcard name leads to it, a route file says where it goes on. */
import { type ComponentResourceOptions, type Output, output } from "@pulumi/pulumi";
import { z } from "zod";
import { LocalRoute } from "../local/custom-resources.ts";
import * as operations from "../local/operations.ts";
import type { DnsArgs, DnsComponent, DnsDriver } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";

const options = z.strictObject({
  dataDir: z
    .string()
    .startsWith("/")
    .describe("Absolute path of the data folder of the Stackling whose gateway serves the hosts."),
});

type Options = z.infer<typeof options>;

class GatewayDns extends PreviewComponent implements DnsComponent {
  readonly hosts: Output<readonly string[]>;

  constructor(name: string, args: DnsArgs<Options>, opts?: ComponentResourceOptions) {
    super("stackling:dns:Gateway", name, {}, opts);
    const routes = args.routes.map(
      ({ host, service, address }) =>
        new LocalRoute(this.childName(service), { host, service, address }, { parent: this }),
    );
    this.hosts = output(routes.map((route) => route.urn)).apply(() => args.routes.map(({ host }) => host));
    this.registerOutputs({ hosts: this.hosts });
  }
}

export const gatewayDns: DnsDriver<Options> = {
  options,
  component: GatewayDns,
  operations: {
    owned: ({ dataDir }, stack) => operations.ownedRoutes(dataDir, stack),
    kinds: ["route"],
    remove: ({ dataDir }, thing) => operations.remove(dataDir, thing),
  },
  example: () => ({
    options: { dataDir: "/var/lib/stackling" },
    routes: [{ host: "pr-1-example.localhost:4000", service: "web", address: "127.0.0.1:20000" }],
  }),
};
