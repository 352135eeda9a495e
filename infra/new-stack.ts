/**
 * A new stack costs an engine process only once (`pulumi stack init` takes 290 ms): in a folder, what
 * the engine wrote for the first one is written again for the others, with the same salt for the same
 * passphrase.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { version } from "@pulumi/pulumi/version.js";
import { folderBackend } from "./backend.ts";

export interface NewStackSettings {
  readonly backendUrl: string;
  readonly passphraseFile: string;
  readonly secretsProvider?: string;
  /** The template is kept here. */
  readonly pulumiHome: string;
}

/** Makes an empty stack; `initialize` is the engine's own way, taken the first time and for backends that are no folder. */
export async function createStack(
  settings: NewStackSettings,
  stack: string,
  initialize: () => Promise<void>,
): Promise<void> {
  const folder = folderBackend(settings.backendUrl);
  // A key service gives each stack a key of its own.
  if (!folder || (settings.secretsProvider ?? "passphrase") !== "passphrase") return initialize();
  const template = await templateFile(settings);
  const known = await readFile(template, "utf8").catch(() => undefined);
  if (known !== undefined && (await folder.create(stack, known))) return;
  await initialize();
  const emptyState = await folder.emptyState(stack);
  if (emptyState !== undefined) await keep(template, emptyState);
}

async function keep(template: string, emptyState: string): Promise<void> {
  const partial = `${template}.${process.pid}`;
  await writeFile(partial, emptyState, { mode: 0o600 });
  await rename(partial, template);
}

/** Another backend, passphrase or engine version has a template of its own. */
async function templateFile(settings: NewStackSettings): Promise<string> {
  const { backendUrl, passphraseFile, pulumiHome } = settings;
  await mkdir(pulumiHome, { recursive: true, mode: 0o700 });
  const passphrase = await readFile(passphraseFile, "utf8");
  const digest = createHash("sha256")
    .update(JSON.stringify([version, backendUrl, passphrase]))
    .digest("hex");
  return join(pulumiHome, `empty-stack-${digest.slice(0, 16)}.json`);
}
