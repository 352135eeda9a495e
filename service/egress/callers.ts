/** Which preview of this machine a connection to the egress proxy is from, by what it shows and by whose process it is. */
import { isEgressPassword, readEgress, readEgressAccess } from "../../components/local/egress-access.ts";
import { userOfPeer } from "../../components/local/sockets.ts";
import type { EgressProxyDeps } from "./proxy.ts";

/** `proxyPort`: where the proxy listens. */
export function createCallers(dataDir: string, proxyPort: () => number): EgressProxyDeps["identify"] {
  return async (stack, password, peer) => {
    const access = await readEgressAccess(dataDir);
    if (!access || !isEgressPassword(access, stack, password)) return undefined;
    const egress = await readEgress(dataDir, stack);
    if (!egress) return undefined;
    // What one preview is told may have been carried to another; whose process it is cannot be.
    if (egress.user !== undefined) {
      const user = await userOfPeer(`${peer.address}:${peer.port}`, proxyPort());
      if (user !== egress.user) return undefined;
    }
    return { stack, hosts: egress.hosts, trusted: egress.trusted };
  };
}
