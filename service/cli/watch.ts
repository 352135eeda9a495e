/** Tells on the screen what becomes of each preview: a live list on a terminal, else one line per change. */
import { setTimeout as pause } from "node:timers/promises";
import type { PreviewView } from "../api/preview-view.ts";
import type { Client } from "./client.ts";
import type { CliContext } from "./context.ts";
import { createBlock, FRAME_MS, fitted, frameAt, isTerminal, type Part } from "./live.ts";
import { colorsFor, plain, printLine } from "./output.ts";

const LOOK_EVERY_MS = 400;
/** Longer lists would not stand still under the cursor. */
const BLOCK_MAX = 16;

/** Until the signal aborts. A service that does not answer for a moment is asked again. */
export async function watchPreviews(client: Client, context: CliContext, signal: AbortSignal): Promise<void> {
  const live = isTerminal(context.stdout, context.environment);
  const tell = live ? liveList(context) : changes(context);
  let previews: readonly PreviewView[] = [];
  let lookAt = 0;
  while (!signal.aborted) {
    if (performance.now() >= lookAt) {
      previews = await client.list({ gone: true }).catch(() => previews);
      lookAt = performance.now() + LOOK_EVERY_MS;
    }
    if (!signal.aborted) tell(previews);
    await pause(live ? FRAME_MS : LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

type Tell = (previews: readonly PreviewView[]) => void;

/** Drawn anew only where something changed or turns, so that a finished list can be marked and copied. */
function liveList(context: CliContext): Tell {
  const { stdout } = context;
  const block = createBlock(stdout);
  const met = new Set<string>();
  let shown = "";
  return (previews) => {
    const listed = previews
      .filter(({ key, stage }) => stage !== "Gone" || met.has(key))
      .toSorted((a, b) => a.key.localeCompare(b.key, "en", { numeric: true }))
      .slice(0, BLOCK_MAX);
    for (const { key } of listed) met.add(key);
    const width = Math.max(0, ...listed.map(({ key }) => [...key].length));
    const lines = listed.map((preview) => fitted(partsOf(preview, width, context), stdout.columns));
    const more = previews.filter(({ stage }) => stage !== "Gone").length - BLOCK_MAX;
    if (more > 0) lines.push(`  and ${more} more on the page`);
    const now = lines.join("\n");
    if (now !== shown) block.show(lines);
    shown = now;
  };
}

function changes(context: CliContext): Tell {
  const shown = new Map<string, string>();
  return (previews) => {
    for (const preview of previews) {
      const { key, stage, condition, reason, awake, url, commit } = preview;
      const now = [stage, condition, reason, awake, url, commit].join(" ");
      const before = shown.get(key);
      shown.set(key, now);
      if (now === before || (before === undefined && stage === "Gone")) continue;
      printLine(context.stdout, fitted(partsOf(preview, 10, context)));
    }
  };
}

function partsOf(preview: PreviewView, width: number, { stdout, environment }: CliContext): readonly Part[] {
  const { stage, condition, reason, message, url, commit, awake } = preview;
  const colors = colorsFor(stdout, environment);
  const key: Part = [`${preview.key.padEnd(width)}  `, colors.bold];
  const title: Part = [preview.title ? `  ${plain(preview.title)}` : "", colors.dim];
  if (stage === "Gone") return [["  "], key, ["gone", colors.dim]];
  if (condition === "Ready" && url) {
    const state: Part = awake ? ["live  ", colors.green] : ["asleep  ", colors.blue];
    return [["  "], key, state, [url, colors.cyan], [`  ${commit?.slice(0, 7) ?? ""}`, colors.dim], title];
  }
  if (condition === "Stalled") return [["  "], key, [reason, colors.red], [`  ${plain(message)}`]];
  const turns = isTerminal(stdout, environment);
  if (!turns) return [["  "], key, [reason.toLowerCase(), colors.yellow], title];
  return [
    [`${frameAt(performance.now())} `, colors.cyan],
    key,
    [plain(message) || reason.toLowerCase(), colors.yellow],
    title,
  ];
}
