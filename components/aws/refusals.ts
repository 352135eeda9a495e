/** What AWS drivers cannot be combined with, said when the config is read. Pure. */
import { basename, dirname, join } from "node:path";
import { layout } from "../local/layout.ts";
import type { TargetChoice } from "../ports.ts";

/** Of the service driver `ecs`. */
export function refuseEcs({ database, dns, service, secrets }: TargetChoice): string | undefined {
  if (dns.driver === "gateway") {
    return '"ecs" runs elsewhere than the dns driver "gateway", which serves names of this machine; choose "wildcard", "route53" or "cloudflare"';
  }
  if (database?.driver === "clone" && isEmbedded(database.options.server)) {
    return 'tasks at AWS cannot reach the databases of this machine; give the database driver "clone" a "server" that they can reach, choose "neon", or say "database: false"';
  }
  if (secrets.driver === "external") {
    return '"ecs" cannot read External Secrets, which are a cluster\'s; choose the secrets driver "aws" or "local"';
  }
  const regions = [service, secrets].map(({ options }) => options.region).filter((region) => region !== undefined);
  if (secrets.driver === "aws" && new Set(regions).size > 1) {
    return '"ecs" reads secrets of its own region only; give both drivers the same "region"';
  }
  return undefined;
}

/** Server that a target gets which names none. */
function isEmbedded(server: unknown): boolean {
  const file = typeof server === "object" && server !== null && "file" in server ? server.file : undefined;
  if (typeof file !== "string") return false;
  const { previewsUrl } = layout("/data");
  return join(basename(dirname(file)), basename(file)) === join(basename(dirname(previewsUrl)), basename(previewsUrl));
}
