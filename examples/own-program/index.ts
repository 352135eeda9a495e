/** A permanent stage of an application, from the same components that make its previews. */
import { Config } from "@pulumi/pulumi";
import { cloudflareDns } from "stackling/components/dns/cloudflare";
import { kubernetesService } from "stackling/components/service/kubernetes";

const config = new Config();
const host = "stage.acme.dev";
const zone = { zone: config.require("zone") };
const stage = { stack: "shop-stage", tags: { repository: "shop", team: "checkout" } };
const web = { name: "web", kind: "web", directory: ".", port: 8080, healthPath: "/health" } as const;
const limits = { startTimeoutSeconds: 60, memoryMiB: 512, cpu: 0.5 };

const shop = new kubernetesService.component("shop", {
  ...stage,
  options: kubernetesService.options.parse({ kubeconfig: { file: config.require("kubeconfig") } }),
  source: { repository: "acme/shop", commit: "", submodules: false, lfs: false, install: [], build: [] },
  services: [{ ...web, ...limits, image: config.require("image"), environment: {}, dependsOn: [], sidecars: [] }],
  tasks: [],
  urls: { web: `https://${host}` },
  environment: { STAGE: "true" },
  generation: 0,
});

const names = new cloudflareDns.component("names", {
  ...stage,
  options: cloudflareDns.options.parse({ ...zone, apiToken: { env: "DNS_TOKEN" }, target: "gateway.acme.dev" }),
  routes: [{ host, service: "web", address: shop.addresses.apply(({ web: address = "" }) => address) }],
});

export const { addresses } = shop;
export const { hosts } = names;
