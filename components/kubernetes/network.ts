/** Who may talk to whom around a preview: nobody, but for what is named. Pure. */
import type * as input from "@pulumi/kubernetes/types/input.js";
import { portOfProxy } from "../service/proxy.ts";
import { KIND_LABEL } from "./names.ts";
import type { KubernetesOptions, Peer } from "./options.ts";

type PolicySpec = input.networking.v1.NetworkPolicySpec;
type PolicyPeer = input.networking.v1.NetworkPolicyPeer;

/**
 * Policies by name. They add up, and a pod that one of them selects is closed for all the others do
 * not open: docs, "Network Policies".
 */
export function networkPolicies({ network }: Pick<KubernetesOptions, "network">): Readonly<Record<string, PolicySpec>> {
  const opened = network.egress.map(({ to, ports }) => ({
    to: [peerOf(to)],
    ...(ports && { ports: ports.map((port) => ({ protocol: "TCP", port })) }),
  }));
  return {
    "deny-all": { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
    "allow-inside": {
      podSelector: {},
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: [{ podSelector: {} }] }],
      egress: [{ to: [{ podSelector: {} }] }],
    },
    "allow-dns": {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [{ to: [peerOf(network.dns)], ports: ["UDP", "TCP"].map((protocol) => ({ protocol, port: 53 })) }],
    },
    ...(network.from.length > 0 && {
      "allow-gateway": {
        podSelector: { matchLabels: { [KIND_LABEL]: "web" } },
        policyTypes: ["Ingress"],
        ingress: [{ from: network.from.map(peerOf) }],
      },
    }),
    ...(network.proxy && {
      "allow-proxy": {
        podSelector: {},
        policyTypes: ["Egress"],
        egress: [
          { to: [peerOf(network.proxy.to)], ports: [{ protocol: "TCP", port: portOfProxy(network.proxy.url) }] },
        ],
      },
    }),
    ...(opened.length > 0 && { "allow-egress": { podSelector: {}, policyTypes: ["Egress"], egress: opened } }),
  };
}

function peerOf(peer: Peer): PolicyPeer {
  if ("cidr" in peer) return { ipBlock: { cidr: peer.cidr, ...(peer.except && { except: [...peer.except] }) } };
  return {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": peer.namespace } },
    ...(peer.pods && { podSelector: { matchLabels: { ...peer.pods } } }),
  };
}
