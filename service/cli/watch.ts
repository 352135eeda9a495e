/** Tells on the screen what becomes of each preview, one line per change. */
import { setTimeout as pause } from "node:timers/promises";
import type { PreviewView } from "../api/preview-view.ts";
import type { Client } from "./client.ts";
import type { CliContext } from "./context.ts";
import { colorsFor, printLine } from "./output.ts";

const LOOK_EVERY_MS = 400;

/** Until the signal aborts. A service that does not answer for a moment is asked again. */
export async function watchPreviews(client: Client, context: CliContext, signal: AbortSignal): Promise<void> {
  const shown = new Map<string, string>();
  while (!signal.aborted) {
    const previews = await client.list({ gone: true }).catch(() => []);
    for (const preview of previews) {
      const now = lineOf(preview, context);
      const before = shown.get(preview.key);
      if (now !== before && !(before === undefined && preview.stage === "Gone")) printLine(context.stdout, now);
      shown.set(preview.key, now);
    }
    await pause(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

function lineOf(preview: PreviewView, { stdout, environment }: CliContext): string {
  const colors = colorsFor(stdout, environment);
  const name = colors.bold(preview.key.padEnd(10));
  const title = preview.title ? colors.dim(`  ${preview.title}`) : "";
  if (preview.stage === "Gone") return `  ${name} ${colors.dim("gone")}`;
  if (preview.condition === "Ready" && preview.url) {
    const commit = colors.dim(` ${preview.commit?.slice(0, 7) ?? ""}`);
    return `  ${name} ${preview.awake ? colors.green("live") : colors.blue("asleep")}  ${colors.cyan(preview.url)}${commit}${title}`;
  }
  if (preview.condition === "Stalled") return `  ${name} ${colors.red(preview.reason)}  ${preview.message}`;
  return `  ${name} ${colors.yellow(preview.reason.toLowerCase())}${title}`;
}
