/** Whose a TCP connection or port of this machine is, by the kernel's own tables (proc_net_tcp in the kernel's documentation). */
import { readFile } from "node:fs/promises";
import { isIPv4 } from "node:net";

const ESTABLISHED = "01";
const LISTENING = "0A";

interface Socket {
  /** `ADDRESS:PORT` in the kernel's hexadecimal. */
  readonly local: string;
  readonly remote: string;
  readonly state: string;
  readonly user: number;
}

/**
 * Numeric user at the other end of a connection to `port` on 127.0.0.1; undefined when there is no such
 * open connection.
 *
 * @param peer the other end as `address:port`, IPv4
 */
export async function userOfPeer(peer: string, port: number): Promise<number | undefined> {
  const [address = "", from] = peer.split(":");
  if (!isIPv4(address)) return undefined;
  const [local, remote] = [endpoint(address, Number(from)), endpoint("127.0.0.1", port)];
  // Only while it is open: of a socket that its program has closed the kernel says that it is root's.
  const found = (await sockets()).find(
    ({ state, ...ends }) => isAt(ends.local, local) && isAt(ends.remote, remote) && state === ESTABLISHED,
  );
  return found?.user;
}

/**
 * True when another user than `user` listens where a connection to `port` on 127.0.0.1 may end; false where each
 * preview has no user of its own. Who listens at another address of this machine gets nothing that is meant for it.
 */
export async function isTakenFrom(user: number | undefined, port: number): Promise<boolean> {
  if (user === undefined) return false;
  const reached = ["127.0.0.1", "0.0.0.0"].map((address) => endpoint(address, port));
  const listening = (await sockets()).filter(
    ({ local, state }) =>
      state === LISTENING && (local === ANY_IPV6 + hexPort(port) || reached.some((wanted) => isAt(local, wanted))),
  );
  return listening.some((socket) => socket.user !== user);
}

/**
 * True when a connection to `port` on 127.0.0.1 was not begun by one of `users`; false where the kernel's tables cannot
 * be read, for then nobody can tell.
 *
 * @param peer the other end as `address:port`, IPv4
 */
export async function isFromOthers(peer: string, port: number, users: readonly number[]): Promise<boolean> {
  const user = await userOfPeer(peer, port);
  if (user !== undefined) return !users.includes(user);
  return (await sockets()).some(({ local, state }) => state === LISTENING && local.endsWith(hexPort(port)));
}

async function sockets(): Promise<Socket[]> {
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`/proc/net/${name}`, "utf8").catch(() => "")),
  );
  return tables.flatMap((table) =>
    table
      .split("\n")
      .slice(1)
      .filter(Boolean)
      .map((line) => {
        const [, local = "", remote = "", state = "", , , , user] = line.trim().split(/\s+/);
        return { local, remote, state, user: Number(user) };
      }),
  );
}

/** The kernel prints the address as one number of the machine's byte order; all that Node runs Linux on but s390x are little-endian. */
function endpoint(address: string, port: number): string {
  const bytes = address.split(".").map(Number).reverse();
  return `${Buffer.from(bytes).toString("hex").toUpperCase()}${hexPort(port)}`;
}

/** `::ffff:0:0/96`, as the kernel prints it: some programs, the JVM among them, dial IPv4 by sockets of IPv6. */
const MAPPED = "0000000000000000FFFF0000";

/** `::`, which takes connections by IPv4 too. */
const ANY_IPV6 = "0".repeat(32);

function isAt(found: string, wanted: string): boolean {
  return found === wanted || found === MAPPED + wanted;
}

function hexPort(port: number): string {
  return `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
}
