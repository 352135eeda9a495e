/** A burst of deliveries into a real service that is killed right behind its last answer, against middleware that stores nothing. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withClient } from "../components/local/database-client.ts";
import { layout } from "../components/local/layout.ts";
import { prepareInstance } from "../test/e2e/support/instance.ts";
import type { Burst, BurstOutcome } from "./burst-load.ts";
import { removeInstance, urlOfServer } from "./ground.ts";
import { type BenchPart, sample } from "./part.ts";

const DELIVERIES = 2_000;
const PULL_REQUESTS = 200;
const CONNECTIONS = 100;
const BODY_BYTES = 8_192;
const REPOSITORY = "acme/shop";
const SECRET = "a secret of the benchmark";

export const benchBurst: BenchPart = async (context) => {
  context.say("burst: starting service and middleware");
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const forge = await start("forge", undo);
    const middleware = await start("middleware", undo);
    const folder = await mkdtemp(join(tmpdir(), "stackling-burst-"));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    const secretFile = join(folder, "webhook-secret");
    await writeFile(secretFile, SECRET, { mode: 0o600 });
    const instance = await prepareInstance({ config: (port) => configOf(port, forge, secretFile) });
    undo.push(() => removeInstance(instance));
    const common = { repository: REPOSITORY, secret: SECRET, deliveries: DELIVERIES, pullRequests: PULL_REQUESTS };
    const load = { ...common, connections: CONNECTIONS, bodyBytes: BODY_BYTES };
    const [ours, theirs]: [Outcome[], BurstOutcome[]] = [[], []];
    await instance.start();
    const storeUrl = await urlOfServer(join(layout(instance.dataDir).postgres, "store"));
    const settings = await settingsOf(storeUrl);
    await once(await fire({ ...load, port: instance.port, prefix: "warm-up", deliveries: 200 }), "exit");
    await sample(context, async (round) => {
      context.say(`burst, sample ${round + 1}`);
      const prefix = `round-${round}`;
      if (round > 0) await instance.start();
      const outcome = await outcomeOf(await fire({ ...load, port: instance.port, prefix, kill: instance.pid() }));
      await instance.died();
      ours.push({ ...outcome, lost: outcome.accepted - (await storedOf(storeUrl, prefix)) });
      theirs.push(await outcomeOf(await fire({ ...load, port: middleware, prefix })));
    });
    return rowsOf(ours, theirs, settings);
  } finally {
    for (const step of undo.toReversed()) await step().catch((error: unknown) => console.error(error));
  }
};

interface Outcome extends BurstOutcome {
  readonly lost: number;
}

function rowsOf(ours: readonly Outcome[], theirs: readonly BurstOutcome[], settings: string) {
  const name = `burst of ${DELIVERIES} deliveries of 8 KB`;
  const peer = "bare @octokit/webhooks middleware, nothing stored";
  const rates = (outcomes: readonly BurstOutcome[]) => outcomes.map(({ accepted, ms }) => (accepted / ms) * 1_000);
  const notes = [`store: ${settings}`, `${CONNECTIONS} connections, ${PULL_REQUESTS} pull requests, ids all distinct`];
  return [
    {
      name,
      peer,
      unit: "per second",
      ours: rates(ours),
      theirs: rates(theirs),
      ratio: "ours/theirs",
      aim: { kind: "min", value: 0.4 },
      notes,
    },
    {
      name: `${name}: p99`,
      peer,
      unit: "ms",
      ours: ours.map(({ p99Ms }) => p99Ms),
      theirs: theirs.map(({ p99Ms }) => p99Ms),
      ratio: "ours/theirs",
      aim: { kind: "max", value: 1_000, of: "ours" },
    },
    {
      name: `${name}: refused, or lost after SIGKILL`,
      unit: "deliveries",
      ours: ours.map(({ lost, accepted }) => lost + DELIVERIES - accepted),
      theirs: [],
      ratio: "ours/theirs",
      aim: { kind: "max", value: 0, of: "ours" },
      notes: ["rows counted in the store after a SIGKILL right behind the last answer"],
    },
  ] as const;
}

function configOf(port: number, forge: number, secretFile: string): string {
  const secret = `{ file: ${secretFile} }`;
  return [
    `port: ${port}`,
    "forges:",
    `  github: { baseUrl: "http://127.0.0.1:${forge}", token: ${secret}, webhookSecrets: [${secret}], rateLimits: false }`,
    "repositories:",
    `  - { path: ${REPOSITORY}, name: shop, forge: github }`,
    "comments: false",
    "",
  ].join("\n");
}

/** Starts a server of burst-servers.ts and gives its port. */
async function start(role: string, undo: (() => Promise<unknown>)[]): Promise<number> {
  const child = fork(fileURLToPath(new URL("./burst-servers.ts", import.meta.url)), [role, SECRET]);
  undo.push(async () => child.kill());
  return Number((await answerOf(child))[0]);
}

async function fire(burst: Burst): Promise<ChildProcess> {
  return fork(fileURLToPath(new URL("./burst-load.ts", import.meta.url)), [JSON.stringify(burst)]);
}

async function outcomeOf(child: ChildProcess): Promise<BurstOutcome> {
  const [outcome] = (await answerOf(child)) as [BurstOutcome];
  return outcome;
}

async function answerOf(child: ChildProcess): Promise<unknown[]> {
  const failed = once(child, "exit").then((): never => {
    throw new Error("a process of the burst ended before it said anything");
  });
  failed.catch(() => {});
  return Promise.race([once(child, "message"), failed]);
}

async function storedOf(storeUrl: string, prefix: string): Promise<number> {
  const { rows } = await withClient(storeUrl, (client) =>
    client.query<{ stored: string }>("SELECT count(*) AS stored FROM delivery WHERE delivery_id LIKE $1", [
      `${prefix}-%`,
    ]),
  );
  return Number(rows[0]?.stored);
}

async function settingsOf(storeUrl: string): Promise<string> {
  const { rows } = await withClient(storeUrl, (client) =>
    client.query<{ name: string; setting: string }>(
      "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes') ORDER BY 1",
    ),
  );
  return rows.map(({ name, setting }) => `${name} ${setting}`).join(", ");
}
