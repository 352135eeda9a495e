/** Twenty pull requests at once: how many stacks a second, against the engine with as many runs at a time. */
import PQueue from "p-queue";
import { ENGINES, type Ground, prepareGround } from "./ground.ts";
import { type BenchPart, sample } from "./part.ts";

const COUNT = 20;
const LINK_EVERY_MS = 100;

export const benchMany: BenchPart = async (context) => {
  context.say("twenty at once: starting both sides");
  const ground = await prepareGround(context.signal);
  try {
    const ours: number[] = [];
    const theirs: number[] = [];
    await sample(context, async (round) => {
      context.say(`twenty at once, sample ${round + 1}`);
      const opened = await ground.open(COUNT, LINK_EVERY_MS);
      ours.push(perSecond(opened.ms));
      await ground.close(opened);
      theirs.push(perSecond(await bare(ground)));
    });
    return [
      {
        name: `${COUNT} pull requests opened at once`,
        peer: `bare engine, ${ENGINES} at a time`,
        unit: "per second",
        ours,
        theirs,
        ratio: "ours/theirs",
        aim: { kind: "min", value: 0.9 },
        notes: ["stacks a second, from the first event until the last link answers"],
      },
    ];
  } finally {
    await ground.end();
  }
};

async function bare(ground: Ground): Promise<number> {
  const specs = Array.from({ length: COUNT }, () => ground.peerSpec());
  const began = performance.now();
  await onPeers(ground, specs, (peer, spec) => peer.run({ kind: "up", way: "bare", isNew: true, spec }));
  const took = performance.now() - began;
  await onPeers(ground, specs, (peer, { stack }) => peer.run({ kind: "destroy", stack }));
  return took;
}

async function onPeers<T>(
  { peers }: Ground,
  items: readonly T[],
  work: (peer: Ground["peers"][number], item: T) => Promise<unknown>,
): Promise<void> {
  const idle = [...peers];
  const queue = new PQueue({ concurrency: peers.length });
  await queue.addAll(
    items.map((item) => async () => {
      const peer = idle.pop();
      if (!peer) throw new Error("running bare engines: more at once than there are");
      await work(peer, item);
      idle.push(peer);
    }),
  );
}

function perSecond(ms: number): number {
  return (COUNT / ms) * 1_000;
}
