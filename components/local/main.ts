/** The provider as an executable, for the `pulumi` CLI: prints its port and serves until it is ended. */
import { readFile } from "node:fs/promises";
import { layout } from "./layout.ts";
import { startProvider } from "./provider.ts";

const dataDir = process.env.STACKLING_DATA;
if (!dataDir) {
  process.stderr.write("starting the local provider: STACKLING_DATA does not name a data folder\n");
  process.exit(2);
}
const fence = process.env.STACKLING_FENCE ? Number(process.env.STACKLING_FENCE) : undefined;
const adminUrl = await readFile(layout(dataDir).previewsUrl, "utf8").then(
  (text) => text.trim(),
  () => undefined,
);
const { port } = await startProvider({ dataDir, adminUrl }, { currentFence: () => fence });
// The protocol of Pulumi plugins: the port is the first line of standard output.
process.stdout.write(`${port}\n`);
