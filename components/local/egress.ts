/** Where a preview may go: written down for the egress proxy, and enforced by a firewall where the system has one. */
import { rm } from "node:fs/promises";
import { isIP } from "node:net";
import { type EgressFile, keepEgressAccess, readEgress } from "./egress-access.ts";
import { applyFirewall, confinedUsers, firewallFault } from "./firewall.ts";
import { exists, writeJson } from "./json-file.ts";
import { layout } from "./layout.ts";
import type { LocalResource, ResourceContext } from "./resource.ts";
import { allocateUser } from "./users.ts";

export interface EgressInputs {
  readonly hosts: readonly string[];
  readonly trusted: readonly string[];
  readonly direct: readonly string[];
  /** Its own public addresses, which lead to the gateway. */
  readonly urls: readonly string[];
  /** `host:port` of its database; empty where it has none. */
  readonly database: string;
}

export const egressResource: LocalResource<EgressInputs, EgressInputs> = {
  type: "stackling:local:Egress",
  diff: (state, inputs) => ({ changes: canonical(state) !== canonical(inputs), replaces: [] }),
  create: async (context, inputs) => ({ id: context.stack, state: await apply(context, inputs) }),
  update: async (context, _id, _state, inputs) => apply(context, inputs),
  async read({ settings: { dataDir }, stack }, _id, state) {
    const file = await readEgress(dataDir, stack);
    if (!file) return undefined;
    if (file.user === undefined || (await firewallFault()) !== undefined) return state;
    return (await confinedUsers(dataDir)).includes(file.user) ? state : undefined;
  },
  delete: async ({ settings: { dataDir }, stack }) => releaseEgress(dataDir, stack),
};

/** From then on it may go anywhere; for a preview of which nothing runs any more. Gone already is success. */
export async function releaseEgress(dataDir: string, stack: string): Promise<void> {
  const { egress } = layout(dataDir).preview(stack);
  if (!(await exists(egress))) return;
  await rm(egress, { force: true });
  if ((await firewallFault()) === undefined) await applyFirewall(dataDir);
}

async function apply(context: ResourceContext, inputs: EgressInputs): Promise<EgressInputs> {
  const { settings, stack } = context;
  const { dataDir } = settings;
  await keepEgressAccess(dataDir);
  const user = await allocateUser(dataDir, stack);
  await context.admit();
  await writeJson(layout(dataDir).preview(stack).egress, toFile(inputs, user));
  if ((await firewallFault()) === undefined) await applyFirewall(dataDir);
  return inputs;
}

function toFile(inputs: EgressInputs, user: number | undefined): EgressFile {
  const { hosts, trusted, direct, database } = inputs;
  const own = inputs.urls.map((url) => new URL(url));
  const local = own.filter(({ hostname }) => isLocal(hostname));
  const reached = [...direct, ...(database === "" ? [] : [database])];
  const here = reached.filter((target) => isLocal(hostOf(target)));
  return {
    hosts,
    trusted: [...trusted, ...own.filter((url) => !local.includes(url)).map(({ host }) => host)],
    direct: reached.filter((target) => !here.includes(target)),
    ports: [...new Set([...local, ...here.map((target) => new URL(`tcp://${target}`))].map(portOf))],
    ...(user === undefined ? {} : { user }),
  };
}

function isLocal(host: string): boolean {
  const plain = host.replace(/^\[|\]$/g, "");
  if (plain === "localhost" || plain.endsWith(".localhost") || plain === "::1") return true;
  return isIP(plain) === 4 && plain.startsWith("127.");
}

function hostOf(target: string): string {
  return new URL(`tcp://${target}`).hostname;
}

function portOf({ port, protocol }: URL): number {
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

function canonical({ hosts, trusted, direct, urls, database }: EgressInputs): string {
  return JSON.stringify([hosts, trusted, direct, urls, database]);
}
