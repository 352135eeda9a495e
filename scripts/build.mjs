/** `npm pack` runs this: JavaScript and declarations in `dist/`, as Node strips no types in node_modules. */
import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const rooms = ["components", "infra", "service"];

rmSync(dist, { recursive: true, force: true });
const typescript = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
const tsc = spawnSync(process.execPath, [join(typescript, "bin", "tsc"), "--project", "tsconfig.build.json"], {
  cwd: root,
  // npm pack prints the package's name on standard output, for programs to read.
  stdio: ["ignore", 2, 2],
});
if (tsc.status !== 0) process.exit(1);
for (const room of rooms) {
  // Pages, styles, scripts for git: whatever the compiler does not know.
  cpSync(join(root, room), join(dist, room), {
    recursive: true,
    filter: (source) => !/\.(ts|mjs)$/.test(source),
  });
}
// Named by the sources relative to themselves.
cpSync(join(root, "package.json"), join(dist, "package.json"));
cpSync(join(root, "examples"), join(dist, "examples"), { recursive: true });
const project = readFileSync(join(root, "Pulumi.yaml"), "utf8");
writeFileSync(join(dist, "Pulumi.yaml"), project.replace("infra/index.ts", "infra/index.js"));
for (const file of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
  if (file.endsWith(".js")) pointAtJavaScript(join(dist, file));
}

/**
 * The compiler rewrites imports; files started as processes of their own are named by URL.
 *
 * @param {string} file
 */
function pointAtJavaScript(file) {
  const text = readFileSync(file, "utf8");
  const rewritten = text.replaceAll(/(new URL\("[^"]+)\.ts(", import\.meta\.url\))/g, "$1.js$2");
  if (rewritten !== text) writeFileSync(file, rewritten);
}
