import { layout } from "../components/local/layout.ts";
import type { Finding } from "../components/ports.ts";
import { registry } from "../components/registry.ts";
import { checkPlugins } from "../infra/plugins.ts";
import type { OperatorConfig } from "./config/types.ts";
import { checkRegistries } from "./images/configured.ts";
import { actualSources } from "./money/actuals/sources.ts";
import { pricesFor } from "./money/load-prices.ts";
import { createWorld } from "./world.ts";

/** What `doctor` finds of targets before a service runs. The previews' server of the embedded default is not there yet. */
export async function checkTargets(
  config: Pick<OperatorConfig, "targets" | "images" | "costs">,
  { dataDir, path }: { readonly dataDir: string; readonly path: string },
): Promise<readonly Finding[]> {
  const { targets, images } = config;
  const { pulumiHome, previewsUrl } = layout(dataDir);
  const outside = targets.map(({ database, ...target }) => {
    const server = database?.options.server;
    const ours = typeof server === "object" && server !== null && "file" in server && server.file === previewsUrl;
    return database && !ours ? { ...target, database } : target;
  });
  const findings = await Promise.all([
    createWorld({ config: { targets: outside } }).check(),
    checkPlugins(registry, targets, { pulumiHome, path }),
    checkRegistries(images),
    ...actualSources(config, pricesFor(config)).map((source) => source.check?.() ?? []),
  ]);
  return findings.flat();
}
