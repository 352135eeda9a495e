/** Drivers whose things are files of the world, see provider.ts. */
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type ComponentResourceOptions, CustomResource, type Output, output, secret } from "@pulumi/pulumi";
import { z } from "zod";
import type { DnsArgs, SecretsArgs, ServiceArgs } from "../../../components/ports.ts";
import { PreviewComponent } from "../../../components/preview-component.ts";
import type { Registry } from "../../../infra/program.ts";

const options = z.strictObject({
  things: z.array(
    z.strictObject({
      name: z.string(),
      hold: z.string().optional(),
      fault: z.enum(["refuse", "deaf"]).optional(),
      value: z.string().optional(),
    }),
  ),
  /** Throws where nobody waits for it. */
  stray: z.boolean().default(false),
  /** Waits for something outside the engine, which fails once this file is there. */
  waits: z.string().optional(),
});

class WorldService extends PreviewComponent {
  readonly addresses: Output<Readonly<Record<string, string>>>;

  constructor(name: string, args: ServiceArgs<z.infer<typeof options>>, opts?: ComponentResourceOptions) {
    super("stackling:service:World", name, {}, opts);
    const things = args.options.things.map(
      (thing) => new Thing(`${args.stack}-${thing.name}`, { ...thing }, { parent: this }),
    );
    if (args.options.stray) void Promise.reject(new Error("a stray error"));
    if (args.options.waits !== undefined) output(args.options.waits).apply(failOnce);
    this.addresses = output(things.map(({ id }) => id)).apply(
      (): Readonly<Record<string, string>> => ({ web: "127.0.0.1:7" }),
    );
    this.registerOutputs({});
  }
}

async function failOnce(file: string): Promise<never> {
  while (!existsSync(file)) await delay(10);
  throw new Error("what was waited for failed");
}

class WorldDns extends PreviewComponent {
  readonly hosts: Output<readonly string[]>;

  constructor(name: string, args: DnsArgs, opts?: ComponentResourceOptions) {
    super("stackling:dns:World", name, {}, opts);
    this.hosts = output(args.routes.map(({ host }) => host));
    this.registerOutputs({});
  }
}

class WorldSecrets extends PreviewComponent {
  readonly values: Output<Readonly<Record<string, string>>>;

  constructor(name: string, args: SecretsArgs, opts?: ComponentResourceOptions) {
    super("stackling:secrets:World", name, {}, opts);
    this.values = secret(Object.fromEntries(args.secrets.map(({ name: key, value }) => [key, value ?? ""])));
    this.registerOutputs({});
  }
}

class Thing extends CustomResource {
  constructor(name: string, inputs: Record<string, unknown>, opts: ComponentResourceOptions) {
    super("stackling:local:Thing", name, inputs, opts);
  }
}

const none = z.strictObject({});

export const registry: Registry = {
  service: { world: async () => ({ options, component: WorldService }) },
  database: {},
  dns: {
    world: async () => ({ options: none, component: WorldDns }),
    cloudflare: async () => (await import("../../../components/dns/cloudflare.ts")).cloudflareDns,
  },
  secrets: { world: async () => ({ options: none, component: WorldSecrets }) },
};
