/** Whether a thousand previews make anything slower than ten do, and what a sleeping one costs. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { testDatabase } from "../test/support/postgres.ts";
import { type BenchContext, type BenchPart, sample } from "./part.ts";
import { type BenchLine, median } from "./report.ts";
import type { ScaleQuestion } from "./scale-process.ts";

const MANY = 1_000;
const FEW = 10;
/** In one sample, of which the median counts: one answer takes a few milliseconds. */
const ASKED_AGAIN = 15;
const AIM = { kind: "max", value: 1.2 } as const;

export const benchScale: BenchPart = async (context) => {
  const sides: Side[] = [];
  try {
    for (const previews of [MANY, FEW]) {
      context.say(`scale: making ${previews} previews`);
      sides.push(await startSide(previews));
    }
    const [many, few] = sides;
    if (!many || !few) return [];
    const notes = [
      `${MANY} previews in the store against ${FEW}, a tenth of them awake; real store, queue, worker, resync, sweep; forge, engine and world in memory`,
    ];
    const event = await compare(context, { many, few }, "event");
    const resync = await compare(context, { many, few }, "resync");
    const sweep = await compare(context, { many, few }, "sweep");
    const line = { peer: `with ${FEW} previews`, unit: "ms", ratio: "ours/theirs", notes } as const;
    return [
      { ...line, name: `event → decision with ${MANY} previews`, ...event, aim: AIM },
      { ...line, name: `resync of ${MANY} previews, each`, ...each(resync), aim: AIM },
      { ...line, name: `resync of ${MANY} previews, whole`, ...resync },
      { ...line, name: `sweep of ${MANY} previews, each`, ...each(sweep), aim: AIM },
      { ...line, name: `sweep of ${MANY} previews, whole`, ...sweep },
      await memoryLine(context, { many, few }),
    ];
  } finally {
    for (const side of sides) await side.end();
  }
};

interface Side {
  readonly url: string;
  ask(question: ScaleQuestion): Promise<number>;
  end(): Promise<void>;
}

interface Both {
  readonly many: Side;
  readonly few: Side;
}

type Samples = Pick<BenchLine, "ours" | "theirs">;

async function startSide(previews: number): Promise<Side> {
  const database = await testDatabase();
  const child = start("work", database.url, previews);
  const end = async () => {
    if (child.connected) child.disconnect();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    await database.drop();
  };
  try {
    await answer(child);
  } catch (error) {
    await end();
    throw error;
  }
  return {
    url: database.url,
    ask: (question) => {
      child.send(question);
      return answer(child);
    },
    end,
  };
}

async function compare(context: BenchContext, { many, few }: Both, question: ScaleQuestion): Promise<Samples> {
  const ours: number[] = [];
  const theirs: number[] = [];
  await sample(context, async (round) => {
    context.say(`scale: ${question}, sample ${round + 1}`);
    const asked: { readonly many: number; readonly few: number }[] = [];
    for (let again = 0; again < ASKED_AGAIN; again++) {
      asked.push({ many: await many.ask(question), few: await few.ask(question) });
    }
    ours.push(median(asked.map((answers) => answers.many)));
    theirs.push(median(asked.map((answers) => answers.few)));
  });
  return { ours, theirs };
}

function each({ ours, theirs }: Samples): Samples {
  return { ours: ours.map((ms) => ms / MANY), theirs: theirs.map((ms) => ms / FEW) };
}

async function memoryLine(context: BenchContext, { many, few }: Both): Promise<BenchLine> {
  const perPreview: number[] = [];
  await sample(context, async (round) => {
    context.say(`scale: memory, sample ${round + 1}`);
    const [most, least] = [await heapOf(many.url), await heapOf(few.url)];
    perPreview.push((most - least) / (MANY - FEW) / 1024);
  });
  return {
    name: "memory of a sleeping preview",
    unit: "KiB",
    ours: perPreview,
    theirs: [],
    ratio: "ours/theirs",
    aim: { kind: "max", value: 100, of: "ours" },
    notes: [`heap of the service behind a collection: what ${MANY} add to ${FEW}, nine of ten asleep, each`],
  };
}

async function heapOf(url: string): Promise<number> {
  const child = start("memory", url, 0);
  const bytes = await answer(child);
  if (child.exitCode === null) await once(child, "exit");
  return bytes;
}

function start(role: string, url: string, previews: number): ChildProcess {
  const entry = fileURLToPath(new URL("./scale-process.ts", import.meta.url));
  return fork(entry, [role, url, String(previews)], { execArgv: ["--expose-gc"] });
}

async function answer(child: ChildProcess): Promise<number> {
  const gone = new AbortController();
  try {
    return await Promise.race([
      once(child, "message", gone).then(([value]) => Number(value)),
      once(child, "exit", gone).then(([code]) => {
        throw new Error(`a side of the scale ended with ${code}`);
      }),
    ]);
  } finally {
    gone.abort();
  }
}
