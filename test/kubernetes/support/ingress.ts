/**
 * Plays the ingress controller of the cluster: one responder on loopback that finds its way by Host
 * through Ingress, Service and endpoints to a ready pod. There are no containers behind it, so it tells
 * of the pod what a container would serve: its image. Without a ready pod it answers 503.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CoreV1Api, DiscoveryV1Api, type KubeConfig, NetworkingV1Api } from "@kubernetes/client-node";

export interface IngressController {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

interface Backend {
  readonly namespace: string;
  readonly service: string;
}

/** Serves Ingresses of this class only. */
export async function startIngress(config: KubeConfig, ingressClass: string): Promise<IngressController> {
  const core = config.makeApiClient(CoreV1Api);
  const discovery = config.makeApiClient(DiscoveryV1Api);
  const networking = config.makeApiClient(NetworkingV1Api);

  const backendOf = async (host: string): Promise<Backend | undefined> => {
    const { items } = await networking.listIngressForAllNamespaces();
    for (const { metadata, spec } of items) {
      if (spec?.ingressClassName !== ingressClass) continue;
      const service = spec.rules?.find((rule) => rule.host === host)?.http?.paths[0]?.backend.service?.name;
      if (service !== undefined) return { namespace: metadata?.namespace ?? "", service };
    }
    return undefined;
  };
  const readyPod = async ({ namespace, service }: Backend): Promise<string | undefined> => {
    const labelSelector = `kubernetes.io/service-name=${service}`;
    const { items } = await discovery.listNamespacedEndpointSlice({ namespace, labelSelector });
    const ready = items.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions?.ready);
    return ready[0]?.targetRef?.name;
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const backend = await backendOf((request.headers.host ?? "").replace(/:\d+$/, ""));
    const name = backend && (await readyPod(backend));
    if (!backend || !name) return response.writeHead(backend ? 503 : 404).end();
    const { spec } = await core.readNamespacedPod({ name, namespace: backend.namespace });
    return response.writeHead(200, { "content-type": "text/plain" }).end(`${spec?.containers[0]?.image} in ${name}\n`);
  };
  const server = createServer((request, response) => {
    // A pod may go while it is looked for.
    answer(request, response).catch(() => response.writeHead(503).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
