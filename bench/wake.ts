/** How long a visitor of a sleeping preview waits, against the same application started by hand. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type Launch, listReleases } from "../components/local/release-files.ts";
import { type Ground, prepareGround } from "./ground.ts";
import { type BenchPart, sample } from "./part.ts";

const KEY = "bench#1";
const STACK = "bench-pr-1";
const ASK_EVERY_MS = 2;
const PATIENCE_MS = 20_000;

export const benchWake: BenchPart = async (context) => {
  context.say("wake: starting");
  const ground = await prepareGround(context.signal);
  try {
    const launch = await launchOf(ground);
    const ours: number[] = [];
    const theirs: number[] = [];
    await sample(context, async (round) => {
      context.say(`wake, sample ${round + 1}`);
      ours.push(await woken(ground));
      theirs.push(await started(launch));
    });
    const line = {
      unit: "ms",
      ratio: "ours/theirs",
      notes: [
        "ours: a GET through the gateway to a preview that sleeps, until its answer",
        "theirs: the same command in the same folder with the same environment, until its first answer",
      ],
    } as const;
    const above = ours.map((ms, index) => ms - (theirs[index] ?? Number.NaN));
    return [
      { ...line, name: "wake: request → answer", peer: "the application's own start", ours, theirs },
      {
        ...line,
        name: "wake: above the application's own start",
        ours: above,
        theirs: [],
        aim: { kind: "max", value: 150, of: "ours" },
      },
    ];
  } finally {
    await ground.end();
  }
};

async function woken({ instance }: Ground): Promise<number> {
  await instance.client.act(KEY, { action: "sleep" });
  await instance.waitFor(KEY, ({ awake, reason }) => !awake && reason === "Asleep", "asleep");
  const began = performance.now();
  const { status, text } = await instance.get(`http://pr-1-bench.localhost:${instance.port}`);
  if (status !== 200) throw new Error(`waking ${KEY}: it answered ${status}: ${text}`);
  const ms = performance.now() - began;
  await instance.waitFor(KEY, ({ awake, reason }) => awake && reason === "Healthy", "awake");
  return ms;
}

async function launchOf({ instance }: Ground): Promise<Launch> {
  const [release] = await listReleases(instance.dataDir, STACK);
  if (!release) throw new Error(`"${STACK}" has no release`);
  return release.launch;
}

/** From the start of its process until it answers; ended again. */
async function started({ command, directory, environment, user }: Launch): Promise<number> {
  const port = await freePort();
  // Without the marker nothing takes it for the preview's own.
  const { STACKLING_PREVIEW: _marker, ...variables } = environment;
  const began = performance.now();
  const child = spawn("/bin/sh", ["-c", command], {
    cwd: directory,
    env: { ...variables, PORT: String(port) },
    detached: true,
    stdio: "ignore",
    ...(user === undefined ? {} : { uid: user, gid: user }),
  });
  try {
    while (!(await answers(port))) {
      if (performance.now() - began > PATIENCE_MS) throw new Error(`starting "${command}": it does not answer`);
      await delay(ASK_EVERY_MS);
    }
    return performance.now() - began;
  } finally {
    await end(child);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return;
  const ended = once(child, "exit");
  process.kill(-child.pid, "SIGKILL");
  await ended;
}

function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const asked = request({ host: "127.0.0.1", port, path: "/", agent: false }, (response) => {
    response.resume().once("end", () => resolve(response.statusCode === 200));
  });
  asked.once("error", () => resolve(false)).end();
  return promise;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
