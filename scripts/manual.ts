/** `npm run docs`: the manual as a site, in `docs/.vitepress/dist`; with `--dev` as it is written, with `--preview` as built. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ensurePackages } from "./packages.mjs";

const docs = fileURLToPath(new URL("../docs", import.meta.url));

/** Builds it into a folder, after an install of its own packages where that is to be done. Throws with what was said. */
export async function buildManual({ folder }: { readonly folder: string }): Promise<void> {
  await ensurePackages(docs);
  let said = "";
  const code = await run(["build", docs, "--outDir", folder], "pipe", (text) => {
    said += text;
  });
  if (code !== 0) throw new Error(`building the manual: ${said.slice(-4000)}`);
}

async function main([mode]: readonly string[]): Promise<number> {
  if (mode !== undefined && mode !== "--dev" && mode !== "--preview") {
    console.error(`"${mode}" is neither --dev nor --preview`);
    return 2;
  }
  if (mode === "--dev") {
    await ensurePackages(docs);
    return run(["dev", docs], "inherit");
  }
  const folder = join(docs, ".vitepress", "dist");
  await buildManual({ folder });
  console.log(`the manual is in ${folder}`);
  return mode === "--preview" ? run(["preview", docs], "inherit") : 0;
}

function run(args: readonly string[], stdio: "inherit" | "pipe", onText?: (text: string) => void): Promise<number> {
  const program = join(docs, "node_modules", "vitepress", "bin", "vitepress.js");
  const child = spawn(process.execPath, [program, ...args], { cwd: docs, stdio });
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => onText?.(String(chunk)));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
