/**
 * Keeps the previews of a data folder from the network, by their system users: nftables rules in one table of our own
 * (nft(8)). The table is a function of the files that say where each preview may go, and is always written whole.
 *
 * On the machine itself a preview reaches what runs as the same user, whatever the port, and a few ports by number.
 * Whose a listening socket is, the kernel tells when it answers: the answer to a connection that a preview began
 * (`ct mark`) is let through where both ends are the same user's, else dropped, and the next attempt refused at once.
 */
import { createHash } from "node:crypto";
import { lookup } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { execa } from "execa";
import { type EgressFile, readEgress, readEgressAccess } from "./egress-access.ts";
import { withFileLock } from "./file-lock.ts";
import { layout } from "./layout.ts";
import { findSetpriv } from "./processes.ts";
import { listStacks } from "./release-files.ts";
import { builderGroup, canSwitchUser, FIRST_USER } from "./users.ts";

/** Programs for administrators are not on every service's PATH. */
const PATH = `${process.env.PATH ?? ""}:/usr/sbin:/sbin:/usr/bin:/bin`;

/** Why nothing is enforced here, as the end of a sentence; undefined where it can be. */
export async function firewallFault(): Promise<string | undefined> {
  if (process.platform !== "linux") return "this system has no nftables";
  if (!canSwitchUser()) return "the service does not run as root";
  // All that the rules are made of, as the kernel takes it; `--check` changes nothing.
  const rules = await rulesOf("/", [{ user: FIRST_USER, hosts: [], trusted: [], direct: ["127.0.0.1:1"], ports: [1] }]);
  const asked = await nft(["--check", "-f", "-"], rules).catch((error: Error) => error);
  if (asked instanceof Error) return `nft cannot be used (${firstLine(asked.message)})`;
  return (await findSetpriv()) === undefined ? "setpriv (util-linux) was not found" : undefined;
}

export function firewallTable(dataDir: string): string {
  return `stackling_${createHash("sha256").update(dataDir).digest("hex").slice(0, 8)}`;
}

/**
 * Makes the rules what the previews' files say, in one step; with no such file there is no table. Idempotent. Rejects
 * where nftables cannot be used.
 */
export async function applyFirewall(dataDir: string): Promise<void> {
  await withFileLock(`${layout(dataDir).egress}.firewall.lock`, async () => {
    const previews = await confined(dataDir);
    if (previews.length === 0) return removeTable(dataDir);
    await nft(["-f", "-"], await rulesOf(dataDir, previews));
  });
}

/** Gone already is success, and so is a machine on which there never was one. */
export async function removeFirewall(dataDir: string): Promise<void> {
  await withFileLock(`${layout(dataDir).egress}.firewall.lock`, () => removeTable(dataDir));
}

async function removeTable(dataDir: string): Promise<void> {
  const table = firewallTable(dataDir);
  // Only what is there can be deleted; made and deleted in one step, it always is.
  await nft(["-f", "-"], `table inet ${table}\ndelete table inet ${table}\n`);
}

/** Rules as the kernel holds them, without what changes by itself; undefined when there are none. */
export async function readFirewall(dataDir: string): Promise<string | undefined> {
  return nft(["--stateless", "--terse", "list", "table", "inet", firewallTable(dataDir)]).catch(() => undefined);
}

/** System users that the rules hold back now. */
export async function confinedUsers(dataDir: string): Promise<readonly number[]> {
  if (!canSwitchUser()) return [];
  const listed = await nft(["--json", "list", "set", "inet", firewallTable(dataDir), "users"]).catch(() => undefined);
  if (listed === undefined) return [];
  const { nftables } = JSON.parse(listed) as { nftables: readonly { set?: { elem?: readonly number[] } }[] };
  return nftables.flatMap(({ set }) => set?.elem ?? []);
}

export interface Tried {
  readonly user: number;
  readonly address: string;
  readonly port: number;
  /** Packets. */
  readonly count: number;
}

/** What was refused since the rules were last written. */
export async function readTried(dataDir: string): Promise<readonly Tried[]> {
  const lists = await Promise.all(
    ["tried4", "tried6"].map((set) => nft(["--json", "list", "set", "inet", firewallTable(dataDir), set])),
  ).catch(() => []);
  return lists.flatMap((text) => {
    const { nftables } = JSON.parse(text) as { nftables: readonly { set?: { elem?: readonly TriedElement[] } }[] };
    return nftables.flatMap(({ set }) =>
      (set?.elem ?? []).map(({ elem: { val, counter } }) => {
        const [user, address, port] = val.concat;
        return { user, address, port, count: counter?.packets ?? 1 };
      }),
    );
  });
}

/** As `nft --json` has it: libnftables-json(5). */
interface TriedElement {
  readonly elem: {
    readonly val: { readonly concat: readonly [number, string, number] };
    readonly counter?: { readonly packets: number };
  };
}

type Confined = EgressFile & { readonly user: number };

async function confined(dataDir: string): Promise<readonly Confined[]> {
  const stacks = await listStacks(dataDir);
  const files = await Promise.all(stacks.map((stack) => readEgress(dataDir, stack)));
  return files.flatMap((file) => (file?.user === undefined ? [] : [{ ...file, user: file.user }]));
}

async function rulesOf(dataDir: string, previews: readonly Confined[]): Promise<string> {
  const table = firewallTable(dataDir);
  const proxy = (await readEgressAccess(dataDir))?.port ?? 0;
  const direct = (await Promise.all(previews.map(directOf))).flat();
  const users = previews.map(({ user }) => user);
  const ports = previews.flatMap(({ user, ports: own }) =>
    [proxy, ...own].filter((port) => port > 0).map((port) => `${user} . ${port}`),
  );
  const inFamily = (family: number) =>
    direct.flatMap((one) => (isIP(one.address) === family ? [`${one.user} . ${one.address} . ${one.port}`] : []));
  // What installs and builds must reach registries, and is told apart by its group.
  return `table inet ${table}
delete table inet ${table}
table inet ${table} {
  set users { type uid; ${elements(users)} }
  set marks { type mark; ${elements(users)} }
  map markof { type uid : mark; ${elements(users.map((user) => `${user} : ${user}`))} }
  set same { typeof meta skuid . ct mark; ${elements(users.map((user) => `${user} . ${user}`))} }
  set answerers { typeof ct mark . meta skuid; ${elements(users.map((user) => `${user} . ${user}`))} }
  set ports { typeof meta skuid . tcp dport; ${elements(ports)} }
  set direct4 { typeof meta skuid . ip daddr . th dport; ${elements(inFamily(4))} }
  set direct6 { typeof meta skuid . ip6 daddr . th dport; ${elements(inFamily(6))} }
  set refused { typeof ct mark . tcp dport; size 65535; flags dynamic,timeout; timeout 10s; }
  set tried4 { typeof meta skuid . ip daddr . th dport; size 4096; flags dynamic,timeout; timeout 1h; }
  set tried6 { typeof meta skuid . ip6 daddr . th dport; size 4096; flags dynamic,timeout; timeout 1h; }
  chain answers {
    ct mark . meta skuid @answerers return
    update @refused { ct mark . tcp sport }
    drop
  }
  chain refuse {
    update @tried4 { meta skuid . ip daddr . th dport counter }
    update @tried6 { meta skuid . ip6 daddr . th dport counter }
    meta l4proto tcp reject with tcp reset
    reject
  }
  chain preview {
    oif lo meta skuid . tcp dport @ports accept
    meta skuid . ip daddr . th dport @direct4 accept
    meta skuid . ip6 daddr . th dport @direct6 accept
    oif lo ct direction reply accept
    meta l4proto != tcp goto refuse
    oif != lo goto refuse
    ct state new ct mark set meta skuid map @markof
    ct mark . tcp dport @refused goto refuse
    meta skuid . ct mark @same accept
    goto refuse
  }
  chain output {
    type filter hook output priority filter; policy accept;
    oif lo ct direction reply ct mark @marks tcp flags & syn == syn jump answers
    meta skuid @users meta skgid != ${builderGroup(dataDir)} jump preview
  }
}
`;
}

function elements(values: readonly (string | number)[]): string {
  return values.length === 0 ? "" : `elements = { ${[...new Set(values)].join(", ")} }`;
}

interface Opened {
  readonly user: number;
  readonly address: string;
  readonly port: number;
}

/** Addresses behind `direct`. Where a name stands there, the program looks it up itself, so its resolvers are open too. */
async function directOf({ user, direct }: Confined): Promise<readonly Opened[]> {
  const found = await Promise.all(
    direct.map(async (target): Promise<readonly Opened[]> => {
      const { hostname, port } = new URL(`tcp://${target}`);
      const host = hostname.replace(/^\[|\]$/g, "");
      if (isIP(host) !== 0) return [{ user, address: host, port: Number(port) }];
      const known = await lookup(host, { all: true }).catch(() => []);
      const resolvers = (await nameservers()).map((address) => ({ user, address, port: 53 }));
      return [...known.map(({ address }) => ({ user, address, port: Number(port) })), ...resolvers];
    }),
  );
  // The rules know no zones, with which a router at home names itself as resolver.
  return found.flat().map((one) => ({ ...one, address: one.address.replace(/%.*$/, "") }));
}

async function nameservers(): Promise<readonly string[]> {
  const text = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].flatMap(([, address = ""]) => (isIP(address) ? [address] : []));
}

async function nft(args: readonly string[], input?: string): Promise<string> {
  const options = { env: { PATH }, ...(input === undefined ? {} : { input }) };
  const { stdout } = await execa("nft", args, options);
  return stdout;
}

function firstLine(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return (lines.find((line) => line.startsWith("Error:")) ?? lines[0] ?? "").slice(0, 200);
}
