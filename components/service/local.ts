/** Services as supervised processes on this machine. */
import { all, type ComponentResourceOptions, type Output, output, secret, unsecret } from "@pulumi/pulumi";
import { z } from "zod";
import { TerminalError } from "../errors.ts";
import {
  LocalCheckout,
  LocalEgress,
  LocalFlags,
  LocalFolder,
  LocalRelease,
  LocalTask,
} from "../local/custom-resources.ts";
import { isEmulator } from "../local/emulators.ts";
import { firewallFault } from "../local/firewall.ts";
import * as operations from "../local/operations.ts";
import { usage } from "../local/usage.ts";
import { canSwitchUser } from "../local/users.ts";
import type {
  ServiceArgs,
  ServiceComponent,
  ServiceDefinition,
  ServiceDriver,
  SidecarDefinition,
  TaskDefinition,
} from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";
import { servicesExample } from "./example.ts";
import { flagFileVariables } from "./flags.ts";
import { addressesUsed, dependenciesOf, type ReferenceValues, resolveEnvironment, startOrder } from "./references.ts";
import { environmentOf } from "./sources.ts";
import { isGate, taskEnvironment, taskKey } from "./tasks.ts";

const options = z.strictObject({
  dataDir: z
    .string()
    .startsWith("/")
    .describe("Absolute path of the data folder of the Stackling that runs the previews."),
});

type Options = z.infer<typeof options>;
type Args = ServiceArgs<Options>;

class LocalServices extends PreviewComponent implements ServiceComponent {
  readonly addresses: Output<Readonly<Record<string, string>>>;

  constructor(name: string, args: Args, opts?: ComponentResourceOptions) {
    super("stackling:service:Local", name, {}, opts);
    const ordered = startOrder(args.services);
    const folder = new LocalFolder(this.childName("folder"), { parent: this });
    const { source, sources = {}, environment, generation } = args;
    const checkout = new LocalCheckout(
      this.childName("checkout"),
      { source, environment, generation },
      { parent: this, dependsOn: folder },
    );
    const linked = new Map<string | undefined, LocalCheckout>(
      Object.entries(sources).map(([slot, { environment: own, ...source }]) => [
        slot,
        new LocalCheckout(
          this.childName(`checkout-${slot}`),
          { slot, source, environment: { ...environment, ...own }, generation },
          { parent: this, dependsOn: folder },
        ),
      ]),
    );
    const egress = this.#egress(args, folder);
    const before = args.tasks.filter((task) => !isGate(task));
    const tasks = this.#tasks(args, before, { checkout, egress, releases: new Map() });
    const flagFile = this.#flagFile(args, folder);
    const releases = new Map<string, LocalRelease>();
    for (const { service, order } of ordered) {
      const needed = dependenciesOf(service).flatMap((dependency) => releases.get(dependency) ?? []);
      const needs = [...egress, ...needed];
      const { values, secrets } = references(args, reachOf(releases, addressesUsed(service)));
      const release = new LocalRelease(
        this.childName(service.name),
        {
          service: releasable(service),
          checkout: (linked.get(service.source) ?? checkout).path,
          environment: secret(
            all([values, flagFile]).apply(([known, found]) => ({
              ...environmentOf(args, service),
              ...found,
              ...resolveEnvironment(service, known),
            })),
          ),
          secrets,
          order,
          generation,
        },
        // What plays a service of others has nothing to do with the database, and others wait for it.
        { parent: this, dependsOn: [folder, ...(isEmulator(service) ? [] : tasks), ...needs] },
      );
      releases.set(service.name, release);
    }
    this.#tasks(args, args.tasks.filter(isGate), { checkout, egress, releases });
    this.addresses = addressesOf(releases, [...releases.keys()]).apply((known) =>
      Object.fromEntries(Object.entries(known).filter(([, address]) => address !== "")),
    );
    this.registerOutputs({ addresses: this.addresses });
  }

  /** Before anything of it runs but installs and builds, which must reach registries. */
  #egress({ egress, urls, database }: Args, folder: LocalFolder): LocalEgress[] {
    if (!egress) return [];
    const inputs = {
      ...egress,
      urls: Object.values(urls),
      database: unsecret(output(database?.url).apply(hostAndPort)),
    };
    return [new LocalEgress(this.childName("egress"), inputs, { parent: this, dependsOn: folder })];
  }

  /** Variables that name the file; none without flags. */
  #flagFile({ flags }: Args, folder: LocalFolder): Output<Record<string, string>> {
    if (flags === undefined) return output<Record<string, string>>({});
    const file = new LocalFlags(this.childName("flags"), { text: flags }, { parent: this, dependsOn: folder });
    return file.path.apply(flagFileVariables);
  }

  /** One after the other, all behind what is released. */
  #tasks(args: Args, tasks: readonly TaskDefinition[], { checkout, egress, releases }: Before): LocalTask[] {
    const made: LocalTask[] = [];
    for (const task of tasks) {
      const { values, secrets } = references(args, reachOf(releases, [...releases.keys()]));
      const declared = taskEnvironment(args.services, task);
      made.push(
        new LocalTask(
          this.childName(task.name),
          {
            task: task.name,
            command: task.command,
            checkout: checkout.path,
            directory: task.directory,
            environment: secret(
              values.apply((known) => ({
                ...args.environment,
                ...(known.databaseUrl !== undefined && { DATABASE_URL: known.databaseUrl }),
                ...resolveEnvironment({ name: task.name, environment: declared }, known),
              })),
            ),
            secrets,
            key: taskKey(args, task),
            ...(task.timeoutSeconds === undefined ? {} : { timeoutSeconds: task.timeoutSeconds }),
          },
          { parent: this, dependsOn: [checkout, ...egress, ...releases.values(), ...made] },
        ),
      );
    }
    return made;
  }
}

export const localService: ServiceDriver<Options> = {
  runs: "source",
  isolates: canSwitchUser,
  enforcesEgress: async () => (await firewallFault()) === undefined,
  options,
  component: LocalServices,
  operations: {
    address: ({ options: { dataDir }, stack }, service) => operations.address(dataDir, stack, service),
    setAwake: ({ options: { dataDir }, stack }, awake, signal) => operations.setAwake(dataDir, stack, awake, signal),
    isAwake: ({ options: { dataDir }, stack }) => operations.isAwake(dataDir, stack),
    logs: ({ options: { dataDir }, stack }, query) => operations.logs(dataDir, stack, query),
    explain: ({ options: { dataDir }, stack }) => operations.explain(dataDir, stack),
    owned: ({ dataDir }, stack) => operations.owned(dataDir, stack),
    kinds: ["process", "user", "folder", "control group", "firewall rule", "checkout", "release"],
    remove: ({ dataDir }, thing) => operations.remove(dataDir, thing),
    usage: ({ options: { dataDir }, stack }, wish) => usage(dataDir, stack, wish),
    check: ({ dataDir }) => operations.check(dataDir),
  },
  example: () => ({
    options: { dataDir: "/var/lib/stackling" },
    // Plain Node, so that the contract suite needs nothing but what runs it.
    ...servicesExample(
      { repository: "/srv/git/example", url: "http://pr-1-example.localhost:4000" },
      { command: "exec node server.mjs", memoryMiB: 256, cpu: 1, startTimeoutSeconds: 20 },
    ),
  }),
};

/** Values for references, and those among them that must not show in messages. */
function references(args: Args, reach: Output<Reach>) {
  const values = all([args.database?.url, args.secrets, reach]).apply(
    ([databaseUrl, secrets, known]): ReferenceValues => ({
      ...(databaseUrl !== undefined && { databaseUrl }),
      secrets: secrets ?? {},
      urls: args.urls,
      ...known,
    }),
  );
  const hidden = values.apply(({ databaseUrl, secrets }) => {
    const password = databaseUrl && URL.canParse(databaseUrl) ? [databaseUrl, new URL(databaseUrl).password] : [];
    return [...password, ...Object.values(secrets)];
  });
  return { values, secrets: secret(hidden) };
}

type Reach = Pick<ReferenceValues, "addresses" | "ports">;

interface Before {
  readonly checkout: LocalCheckout;
  readonly egress: readonly LocalEgress[];
  readonly releases: ReadonlyMap<string, LocalRelease>;
}

function reachOf(releases: ReadonlyMap<string, LocalRelease>, names: readonly string[]): Output<Reach> {
  const ports = names.flatMap((name) => {
    const release = releases.get(name);
    return release ? [release.ports.apply((found) => [name, found] as const)] : [];
  });
  return all([addressesOf(releases, names), all(ports)]).apply(([addresses, found]) => ({
    addresses,
    ports: Object.fromEntries(found),
  }));
}

function addressesOf(
  releases: ReadonlyMap<string, LocalRelease>,
  names: readonly string[],
): Output<Record<string, string>> {
  const chosen = names.flatMap((name) => releases.get(name) ?? []);
  return all(chosen.map((release) => release.address)).apply((addresses) =>
    Object.fromEntries(addresses.map((address, index) => [names[index] ?? "", address])),
  );
}

/** Public: nothing but where it lies. */
function hostAndPort(url: string | undefined): string {
  if (url === undefined || !URL.canParse(url)) return "";
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || "5432"}`;
}

function releasable({ name, sidecars, ...service }: ServiceDefinition) {
  const { environment: _e, dependsOn: _d, image: _i, port: _p, readOnlyRoot: _r, source: _s, ...released } = service;
  return { name, ...released, sidecars: sidecars.map((sidecar) => startable(name, sidecar)) };
}

function startable(service: string, { name, command }: SidecarDefinition): { name: string; command: string } {
  if (command !== undefined) return { name, command };
  throw new TerminalError({
    reason: "SpecInvalid",
    userMessage: `starting sidecar "${name}" of service "${service}": this target runs processes, not images; give it a "command"`,
  });
}
