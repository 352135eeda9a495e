/** `npm run bench`: every part in turn, a table on screen and the raw samples in `bench/results/latest.json`. */
import { mkdir, rename, writeFile } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { describeMachine, type MachineFacts, readMachine } from "./machine.ts";
import type { BenchContext, BenchPart } from "./part.ts";
import { type BenchRow, median, meetsAim, ratioOf, renderNotes, renderTable } from "./report.ts";

/** In the order they run; each loads only what it needs. */
const parts: Readonly<Record<string, () => Promise<BenchPart>>> = {
  event: async () => (await import("./event.ts")).benchEvent,
  clone: async () => (await import("./clone.ts")).benchClone,
  burst: async () => (await import("./burst.ts")).benchBurst,
  gateway: async () => (await import("./gateway.ts")).benchGateway,
  many: async () => (await import("./many.ts")).benchMany,
  wake: async () => (await import("./wake.ts")).benchWake,
  scale: async () => (await import("./scale.ts")).benchScale,
  dashboard: async () => (await import("./dashboard.ts")).benchDashboard,
};

const RESULTS = fileURLToPath(new URL("./results/", import.meta.url));
const WIDTH_WITHOUT_TERMINAL = 120;

interface Options {
  readonly samples: number;
  readonly only: readonly string[];
}

const { samples, only } = new Command("npm run bench --")
  .description("Measures Stackling against the bare parts it is made of. Takes about ten minutes; use an idle machine.")
  .option("--only <parts>", `some of: ${Object.keys(parts).join(", ")}`, parseParts, Object.keys(parts))
  .option("--samples <n>", "samples a line", parseCount, 5)
  .parse()
  .opts<Options>();
// What was cut short may still wait for something.
process.exit(await run({ samples, only }));

async function run(options: Options): Promise<number> {
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(130);
    console.error("ending what was started; once more to leave it");
    stop.abort();
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, onSignal);
  const began = performance.now();
  const machine = await readMachine();
  console.error(describeMachine(machine));
  const context: BenchContext = { samples: options.samples, signal: stop.signal, say: (text) => console.error(text) };
  const rows: BenchRow[] = [];
  for (const name of options.only) {
    if (stop.signal.aborted) break;
    rows.push(...(await runPart(name, context)));
  }
  if (stop.signal.aborted) return 130;
  await keep({ machine, samples: options.samples, seconds: Math.round((performance.now() - began) / 1_000), rows });
  console.log(renderTable(rows, process.stdout.columns ?? WIDTH_WITHOUT_TERMINAL));
  console.log(renderNotes(rows));
  return rows.some((row) => "failed" in row) ? 1 : 0;
}

/** A part that breaks is told in its place, and the others go on. */
async function runPart(name: string, context: BenchContext): Promise<readonly BenchRow[]> {
  try {
    const part = await parts[name]?.();
    return (await part?.(context)) ?? [];
  } catch (error) {
    if (!context.signal.aborted) console.error(error);
    return [
      { name, skipped: `it broke: ${error instanceof Error ? error.message.split("\n")[0] : error}`, failed: true },
    ];
  }
}

interface Results {
  readonly machine: MachineFacts;
  readonly samples: number;
  readonly seconds: number;
  readonly rows: readonly BenchRow[];
}

/** Raw samples with what follows from them. */
async function keep({ rows, ...facts }: Results): Promise<void> {
  const lines = rows.map((row) =>
    "skipped" in row
      ? row
      : {
          ...row,
          median: { ours: median(row.ours), theirs: median(row.theirs) },
          value: ratioOf(row),
          met: meetsAim(row),
        },
  );
  await mkdir(RESULTS, { recursive: true });
  const file = `${RESULTS}latest.json`;
  await writeFile(
    `${file}.new`,
    `${JSON.stringify({ at: new Date().toISOString(), ...facts, lines }, undefined, 2)}\n`,
  );
  await rename(`${file}.new`, file);
}

function parseParts(text: string): readonly string[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => !Object.hasOwn(parts, name));
  if (unknown.length === 0) return names;
  throw new InvalidArgumentError(`"${unknown.join('", "')}" is none of ${Object.keys(parts).join(", ")}.`);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 100) return count;
  throw new InvalidArgumentError("It must be a whole number from 1 to 100.");
}
