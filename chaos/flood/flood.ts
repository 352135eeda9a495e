/**
 * A real service under everything that a stranger or a broken proxy may send to its webhooks. What must
 * hold: no crash, no 5xx but the deliberate 503, no delivery lost that was taken, probes that answer
 * all the while, and memory that comes back to where it was.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import PQueue from "p-queue";
import { startTimeOf } from "../../components/local/process-identity.ts";
import { stopLeftovers } from "../../service/embedded/leftovers.ts";
import { type Instance, prepareInstance } from "../../test/e2e/support/instance.ts";
import { generateDeliveries, goodDelivery, type Post, sentAgain } from "./deliveries.ts";
import { grownTooMuch, type Memory, memoryAtRest, residentMebibytes } from "./memory.ts";
import { dial, exchange, headOf, type Outcome, PATH, send } from "./send.ts";
import { storedOf } from "./stored.ts";

export interface FloodOptions {
  readonly seed: number;
  /** Generated deliveries; 10,000 in full. */
  readonly deliveries: number;
  /** Slow senders; open connections are 4 × it. 125 in full. */
  readonly connections: number;
  /** Times that large bodies come; 8 in full. */
  readonly waves: number;
  /** Seconds for which memory must not fall any more before it is taken for what stays; 15 in full. */
  readonly restsFor: number;
  readonly signal?: AbortSignal;
  /** Called when a phase begins. */
  readonly onPhase?: (name: string) => void;
}

export interface FloodResult {
  /** How many of each status; 0 is a connection that ended without an answer. */
  readonly statuses: Readonly<Record<number, number>>;
  readonly taken: number;
  /** Of the service, garbage collected. */
  readonly before: Memory;
  readonly after: Memory;
  /** Resident mebibytes in between, at the most. */
  readonly most: number;
  /** Empty when all is well. */
  readonly problems: readonly string[];
}

const REPOSITORY = "acme/shop";
const SECRET = "a secret of the flood";
const PULLS = 40;
const AT_ONCE = 64;
const LARGE_BYTES = 25 * 1024 * 1024;
const LARGE = 12;
const PROBE_EVERY_MS = 250;

/** Resolves with what was found. Rejects when the service cannot be started, and when `signal` aborts. */
export async function flood(options: FloodOptions): Promise<FloodResult> {
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const instance = await startInstance(undo);
    return await run(instance, options);
  } finally {
    for (const step of undo.toReversed()) await step().catch((error: unknown) => console.error(error));
  }
}

async function run(instance: Instance, options: FloodOptions): Promise<FloodResult> {
  const { seed, deliveries, connections, waves, restsFor, signal, onPhase = () => {} } = options;
  const { port } = instance;
  const pid = instance.pid();
  const bornAt = await startTimeOf(pid);
  const tally = createTally();
  const settings = { repository: REPOSITORY, pulls: PULLS, secret: SECRET };

  // Of everything a little, for what a first body of 25 MB leaves in the allocator is no leak.
  onPhase("warming up");
  const few = generateDeliveries({ ...settings, seed: seed + 1, count: Math.ceil(deliveries / 5) });
  await postAll(port, few, tally, signal);
  await largeBodies(port, tally, signal);
  const before = await memoryAtRest(instance, { restsFor, signal });
  const probes = startProbes(port, pid);

  onPhase(`${deliveries} generated deliveries`);
  await postAll(port, generateDeliveries({ ...settings, seed, count: deliveries }), tally, signal);
  onPhase(`${waves} times ${LARGE} bodies of 25 MB at once`);
  for (let wave = 0; wave < waves; wave++) await largeBodies(port, tally, signal);
  onPhase(`${connections} slow senders, ${connections * 4} open connections, good deliveries between them`);
  await crowd(port, { connections, tally, signal, settings });
  onPhase("bytes that are no HTTP");
  await nonsense(port, { seed, tally, signal });

  onPhase("coming to rest");
  const after = await memoryAtRest(instance, { restsFor, before, signal });
  const { most, missed } = await probes.end();
  const lost = await lostOf(instance, tally.taken);
  const problems = [
    ...tally.problems(),
    ...(missed > 0 ? [`/healthz did not answer ${missed} times`] : []),
    ...((await startTimeOf(pid)) === bornAt ? [] : ["the service died"]),
    ...(lost > 0 ? [`${lost} deliveries that were answered 202 are not stored`] : []),
    ...grownTooMuch(before, after),
  ];
  return { statuses: tally.statuses(), taken: tally.taken.length, before, most, after, problems };
}

interface Tally {
  /** Ids of deliveries that were answered 202. */
  readonly taken: string[];
  add(post: Pick<Post, "deliveryId" | "answered">, outcome: Outcome): void;
  blame(what: string): void;
  statuses(): Readonly<Record<number, number>>;
  problems(): readonly string[];
}

function createTally(): Tally {
  const taken: string[] = [];
  const statuses = new Map<number, number>();
  const wrong = new Map<string, number>();
  const blame = (what: string) => void wrong.set(what, (wrong.get(what) ?? 0) + 1);
  return {
    taken,
    blame,
    add({ deliveryId, answered }, { status, retryAfter }) {
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status === 202 && deliveryId !== undefined) taken.push(deliveryId);
      if (status === 503 && !retryAfter) blame("a 503 without Retry-After");
      if (status >= 500 && status !== 503) blame(`an answer ${status}`);
      if (status === 0 && answered) blame("no answer to what is HTTP");
      if (deliveryId !== undefined && status !== 202 && status !== 503) blame(`a good delivery was answered ${status}`);
    },
    statuses: () => Object.fromEntries([...statuses].sort(([one], [other]) => one - other)),
    problems: () => [...wrong].map(([what, times]) => `${times} ×: ${what}`),
  };
}

async function postAll(
  port: number,
  posts: readonly Post[],
  tally: Tally,
  signal: AbortSignal | undefined,
): Promise<void> {
  const queue = new PQueue({ concurrency: AT_ONCE });
  await queue.addAll(
    posts.map((post) => async () => {
      signal?.throwIfAborted();
      tally.add(post, await send(port, post));
    }),
  );
}

/** More than are taken at once: those beyond are sent away by a 503, and may come again. */
async function largeBodies(port: number, tally: Tally, signal: AbortSignal | undefined): Promise<void> {
  const settings = { repository: REPOSITORY, secret: SECRET };
  const large = goodDelivery(settings, { number: 1, bytes: LARGE_BYTES });
  const outcomes = await Promise.all(
    Array.from({ length: LARGE }, async () => {
      signal?.throwIfAborted();
      const post = sentAgain(large);
      const outcome = await send(port, post);
      // Refused while it is still being written, the connection may end before the answer is read.
      tally.add(outcome.status === 0 ? { answered: false } : post, outcome);
      return outcome.status;
    }),
  );
  if (!outcomes.includes(202)) tally.blame(`none of ${LARGE} bodies of 25 MB was taken`);
  await postAll(port, [goodDelivery(settings, { number: 1 })], tally, signal);
}

interface Crowd {
  readonly connections: number;
  readonly tally: Tally;
  readonly signal: AbortSignal | undefined;
  readonly settings: { readonly repository: string; readonly secret: string };
}

/** Good deliveries are taken while others send nothing, or a byte now and then. */
async function crowd(port: number, { connections, tally, signal, settings }: Crowd): Promise<void> {
  const idle = await Promise.all(Array.from({ length: connections * 4 }, () => dial(port)));
  const slow = await Promise.all(Array.from({ length: connections }, () => dial(port)));
  const ended = slow.map((socket) => (socket ? headOf(socket) : ""));
  const head = `POST ${PATH} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n`;
  for (const socket of slow) socket?.write(head);
  const dripping = setInterval(() => {
    for (const socket of slow) if (socket && !socket.destroyed) socket.write("{");
  }, 500);
  try {
    const posts = Array.from({ length: connections * 2 }, (_, index) =>
      goodDelivery(settings, { number: 1 + (index % PULLS) }),
    );
    await postAll(port, posts, tally, signal);
    // Each is sent away by itself; nobody can hold a place by dripping.
    for (const answer of ended) {
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(await answer)?.[1] ?? 0);
      tally.add({ answered: true }, { status, retryAfter: true });
    }
  } finally {
    clearInterval(dripping);
    for (const socket of [...idle, ...slow]) socket?.destroy();
  }
}

async function nonsense(
  port: number,
  { tally, signal, seed }: { readonly tally: Tally; readonly signal: AbortSignal | undefined; readonly seed: number },
): Promise<void> {
  const bodies = generateDeliveries({ seed: seed + 2, count: 200, repository: REPOSITORY, pulls: 1, secret: SECRET });
  for (const { body } of bodies) {
    signal?.throwIfAborted();
    tally.add({ answered: false }, await exchange(port, { parts: [body, Buffer.from("\r\n\r\n")], ends: true }));
  }
}

function startProbes(
  port: number,
  pid: number,
): { end(): Promise<{ readonly most: number; readonly missed: number }> } {
  const stop = new AbortController();
  let most = 0;
  let missed = 0;
  const probe = async () => {
    while (!stop.signal.aborted) {
      const head = Buffer.from(`GET /healthz HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: close\r\n\r\n`);
      const { status } = await exchange(port, { parts: [head], ends: false });
      if (status !== 200) missed += 1;
      most = Math.max(most, await residentMebibytes(pid));
      await pause(PROBE_EVERY_MS, undefined, { signal: stop.signal }).catch(() => {});
    }
  };
  const running = probe();
  return {
    async end() {
      stop.abort();
      await running;
      return { most, missed };
    },
  };
}

async function lostOf({ dataDir }: Instance, ids: readonly string[]): Promise<number> {
  return ids.length - (await storedOf(dataDir, ids));
}

/** A forge whose pull requests are all closed, so that a delivery costs a look and no engine. */
async function startInstance(undo: (() => Promise<unknown>)[]): Promise<Instance> {
  const child = fork(fileURLToPath(new URL("../../bench/burst-servers.ts", import.meta.url)), ["forge", SECRET]);
  undo.push(async () => child.kill());
  const [forge] = await once(child, "message");
  const folder = await mkdtemp(join(tmpdir(), "stackling-flood-"));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const secretFile = join(folder, "secret");
  await writeFile(secretFile, SECRET, { mode: 0o600 });
  const secret = `{ file: ${secretFile} }`;
  const instance = await prepareInstance({
    config: (port) =>
      [
        `port: ${port}`,
        "forges:",
        `  github: { baseUrl: "http://127.0.0.1:${forge}", token: ${secret}, webhookSecrets: [${secret}], rateLimits: false }`,
        "repositories:",
        `  - { path: ${REPOSITORY}, name: shop, forge: github }`,
        "comments: false",
        "",
      ].join("\n"),
  });
  undo.push(async () => {
    await instance.stop();
    await stopLeftovers(instance.dataDir).catch(() => []);
    await instance.remove();
  });
  await instance.start();
  return instance;
}
