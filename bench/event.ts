/** How long a person waits for the link, and what an event costs when there is nothing to do. */
import { setTimeout as delay } from "node:timers/promises";
import { withClient } from "../components/local/database-client.ts";
import { type Ground, prepareGround } from "./ground.ts";
import { memoryRow } from "./memory.ts";
import { type BenchContext, type BenchPart, sample } from "./part.ts";
import type { BenchLine, BenchRow } from "./report.ts";

const LINK_EVERY_MS = 20;
const HANDLED_PATIENCE_MS = 20_000;

export const benchEvent: BenchPart = async (context) => {
  context.say("event: starting both sides");
  const ground = await prepareGround(context.signal);
  try {
    return [
      ...(await links(ground, context)),
      ...(await nothingToDo(ground, context)),
      await memoryRow(ground, context),
    ];
  } finally {
    await ground.end();
  }
};

async function links(ground: Ground, context: BenchContext): Promise<BenchRow[]> {
  const ours: number[] = [];
  const theirs = { bare: [] as number[], documented: [] as number[], cli: [] as number[] };
  const [peer] = ground.peers;
  const ways = ground.engine.languageHost
    ? (["bare", "documented", "cli"] as const)
    : (["bare", "documented"] as const);
  await sample(context, async (round) => {
    context.say(`event → link, sample ${round + 1}`);
    const { ms } = await ground.open(1, LINK_EVERY_MS);
    ours.push(ms);
    for (const way of ways) {
      const took = await peer?.run({ kind: "up", way, isNew: true, spec: ground.peerSpec() });
      if (took !== undefined) theirs[way].push(took);
    }
  });
  const notes = [
    "ours: from a branch's push to a local repository until GET through the gateway answers 200 with its commit",
    "theirs: the same application and provider, until the engine has ended, which tells the address, and that answers",
  ];
  const line = { name: "event → link answering", unit: "ms", ours, notes } as const;
  const cliName = "`pulumi up` by CLI";
  return [
    {
      ...line,
      peer: "bare engine (`stack init`, `up`)",
      theirs: theirs.bare,
      ratio: "ours/theirs",
      aim: { kind: "max", value: 1.3 },
    },
    {
      ...line,
      peer: "Automation API as documented",
      theirs: theirs.documented,
      ratio: "theirs/ours",
      aim: { kind: "min", value: 2.3 },
    },
    ground.engine.languageHost
      ? { ...line, peer: cliName, theirs: theirs.cli, ratio: "theirs/ours", aim: { kind: "min", value: 5 } }
      : { name: `${line.name}, ${cliName}`, skipped: "pulumi-language-nodejs is not installed here" },
  ];
}

async function nothingToDo(ground: Ground, context: BenchContext): Promise<BenchLine[]> {
  const key = "bench#1";
  const [peer] = ground.peers;
  const spec = ground.peerSpec();
  await peer?.run({ kind: "up", way: "bare", isNew: true, spec });
  const calls: number[] = [];
  const ours: number[] = [];
  const theirs: number[] = [];
  await sample(context, async (round) => {
    context.say(`nothing-to-do event, sample ${round + 1}`);
    const before = await enginesStarted(ground);
    ours.push(await lookedAt(ground, key));
    calls.push((await enginesStarted(ground)) - before);
    const took = await peer?.run({ kind: "up", way: "bare", isNew: false, spec });
    if (took !== undefined) theirs.push(took);
  });
  const name = "event with nothing to do";
  return [
    { name, peer: "bare `pulumi up` without changes", unit: "ms", ours, theirs, ratio: "theirs/ours" },
    {
      name: `${name}: engine starts`,
      unit: "calls",
      ours: calls,
      theirs: [],
      ratio: "ours/theirs",
      aim: { kind: "max", value: 0, of: "ours" },
      notes: ["counted in the store, where each engine is recorded before it may begin"],
    },
  ];
}

/** From the request for a look until reconcile has found that all is as it shall be. */
async function lookedAt({ instance }: Ground, key: string): Promise<number> {
  const from = instance.steps.length;
  const began = performance.now();
  await instance.client.look(key);
  const ended = () => instance.steps.slice(from).some((reached) => reached.key === key && reached.step === "announce");
  while (!ended()) {
    if (performance.now() - began > HANDLED_PATIENCE_MS) throw new Error(`waiting for a look at ${key}: none came`);
    await delay(1);
  }
  return performance.now() - began;
}

/** Every engine is recorded in the store before it may begin. */
async function enginesStarted({ storeUrl }: Ground): Promise<number> {
  const { rows } = await withClient(storeUrl, (client) =>
    client.query<{ last: string }>("SELECT coalesce(max(id), 0) AS last FROM engine_run"),
  );
  return Number(rows[0]?.last);
}
