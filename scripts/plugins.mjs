/**
 * Installs the engine's plugin of every provider package, in that package's version, for machines on
 * which engines shall not have to download anything (the container image): `node plugins.mjs PULUMI FOLDER`,
 * where FOLDER is `node_modules/@pulumi`. A bridged provider names the plugin that bridges it.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const [engine, folder] = process.argv.slice(2);
if (!engine || !folder) {
  console.error("usage: node plugins.mjs PULUMI FOLDER");
  process.exit(2);
}
for (const name of readdirSync(folder).sort()) {
  const { pulumi } = JSON.parse(readFileSync(join(folder, name, "package.json"), "utf8"));
  if (pulumi?.resource !== true) continue;
  const server = pulumi.server ? ["--server", pulumi.server] : [];
  execFileSync(engine, ["plugin", "install", "resource", pulumi.name, pulumi.version, ...server], { stdio: "inherit" });
}
