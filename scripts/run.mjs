/** What `npm start`, `npm test`, `npm run bench`, `npm run chaos` and `npm run check` go through; any Node 20 can start it. */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { become } from "./child.mjs";
import { ensureNode } from "./node.mjs";
import { ensurePackages } from "./packages.mjs";

const launcher = fileURLToPath(new URL("./launch.ts", import.meta.url));
const args = process.argv.slice(2);

try {
  await ensurePackages(fileURLToPath(new URL("..", import.meta.url)));
  const node = await ensureNode();
  if (node !== process.execPath) await become(node, [launcher, ...args]);
  process.argv = [node, launcher, ...args];
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
await import("./launch.ts");
