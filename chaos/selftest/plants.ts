/** One stray of every kind, each under a name of its own, so that what names it is told apart. */
import { type SpawnOptions, spawn } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import pg from "pg";
import { applyLimits, limitsName, limitsSupport, removeLimits } from "../../components/local/limits.ts";
import { allocateUser, canSwitchUser, freeUser } from "../../components/local/users.ts";
import type { ThingKind } from "../oracle/report.ts";

/** What was planted, as the oracle must name it. */
export interface Planted {
  readonly what: string;
  /** `orphan database tiny_pr_900`, `lost tiny#2`, `stuck tiny#3` */
  readonly name: string;
  /** Takes it away again; gone already is success. */
  undo(): Promise<unknown>;
}

export interface Soil {
  readonly dataDir: string;
  /** Stack of a preview that is there and well. */
  readonly living: string;
  /** A stack's name that no pull request has; a new one each time. */
  strange(): string;
}

/** Plants them all, one after the other. What was planted so far is in `planted`, also when a step fails. */
export async function plantOrphans(soil: Soil, planted: Planted[], signal: AbortSignal): Promise<void> {
  const user = canSwitchUser() ? [plantUser] : [];
  const group = (await limitsSupport()) === "none" ? [] : [plantGroup];
  for (const plant of [...PLANTS, ...user, ...group]) {
    signal.throwIfAborted();
    planted.push(...(await plant(soil)));
  }
}

type Plant = (soil: Soil) => Promise<Planted[]>;

const PLANTS: readonly Plant[] = [
  async ({ dataDir, strange }) => {
    const stack = strange();
    const env = { STACKLING_PREVIEW: stack, HOME: join(dataDir, "previews", stack, "home") };
    return [await plantProcess("process of no pull request", { env })];
  },
  async ({ dataDir, living }) => {
    const preview = join(dataDir, "previews", living);
    const owner = join(preview, "services/web-00000000");
    const env = { STACKLING_PREVIEW: living, STACKLING_OWNER: owner, HOME: join(preview, "home") };
    return [await plantProcess("process of a release that is gone", { env })];
  },
  async ({ dataDir }) => [
    await plantProcess("engine without a service", { env: { HOME: join(dataDir, "pulumi-home") } }),
  ],
  (soil) => plantInDatabase(soil, "database"),
  (soil) => plantInDatabase(soil, "role"),
  plantFile("route", (stack) => `previews/${stack}/routes/web.json`, {
    id: (stack) => `${stack}/web`,
    text: (stack) => JSON.stringify({ host: `${stack}.localhost:1`, service: "web", address: "127.0.0.1:1" }),
  }),
  plantFile("checkout", (stack) => `previews/${stack}/checkouts/0123456789ab-00000000/file`, {
    id: (stack) => `${stack}/0123456789ab-00000000`,
  }),
  plantFile("release", (stack) => `previews/${stack}/services/web-00000000/file`, {
    id: (stack) => `${stack}/web-00000000`,
  }),
  plantFolder,
  plantFile("stack", (stack) => `state/.pulumi/stacks/stackling/${stack}.json`, {
    id: (stack) => `${stack}.json`,
    text: (stack) => JSON.stringify({ version: 3, checkpoint: { stack: `organization/stackling/${stack}` } }),
  }),
  plantFile("backup", (stack) => `state/.pulumi/stacks/stackling/${stack}.json.bak`, {
    id: (stack) => `${stack}.json.bak`,
  }),
  plantFile("backup", (stack) => `state/.pulumi/backups/stackling/${stack}/${stack}.json`, { id: (stack) => stack }),
  plantFile("history", (stack) => `state/.pulumi/history/stackling/${stack}/${stack}-1.history.json`, {
    id: (stack) => stack,
  }),
  plantFile("lock", (stack) => `state/.pulumi/locks/organization/stackling/${stack}/${LOCK}`, {
    id: (stack) => `${stack}/${LOCK}`,
  }),
  plantStaleLock,
  plantFile("run folder", (stack) => `engine-runs/${stack}-a1B2c3/Pulumi.yaml`, { id: (stack) => `${stack}-a1B2c3` }),
  plantFile("engine log", (stack) => `pulumi-home/logs/${logOf(stack)}`, { id: logOf }),
  plantFile("file", (stack) => `${stack}.dump`, { id: (stack) => `${stack}.dump` }),
];

const LOCK = "00000000-0000-4000-8000-000000000000.json";

function logOf(stack: string): string {
  return `organization+stackling+${stack}-20260101T000000.log`;
}

/** Something that lies on disk. `path` is below the data folder. */
function plantFile(
  kind: ThingKind,
  path: (stack: string) => string,
  { id, text = () => "" }: { id: (stack: string) => string; text?: (stack: string) => string },
): Plant {
  return async ({ dataDir, strange }) => {
    const stack = strange();
    const file = join(dataDir, path(stack));
    const folders = await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text(stack));
    return [
      {
        what: `${kind} of no pull request`,
        name: `orphan ${kind} ${id(stack)}`,
        undo: () => rm(folders ?? file, { recursive: true, force: true }),
      },
    ];
  };
}

/** With a process that has nothing of a preview but its working folder. */
async function plantFolder({ dataDir, strange }: Soil): Promise<Planted[]> {
  const stack = strange();
  const folder = join(dataDir, "previews", stack);
  await mkdir(folder);
  return [
    {
      what: "folder of no pull request",
      name: `orphan folder ${stack}`,
      undo: () => rm(folder, { recursive: true, force: true }),
    },
    await plantProcess("process in that folder, with no other mark", { cwd: folder }),
  ];
}

async function plantStaleLock({ dataDir, living }: Soil): Promise<Planted[]> {
  const file = join(dataDir, "state/.pulumi/locks/organization/stackling", living, LOCK);
  await mkdir(dirname(file), { recursive: true });
  const lock = { pid: await deadPid(), username: "root", hostname: hostname(), timestamp: new Date().toISOString() };
  await writeFile(file, JSON.stringify(lock));
  return [
    {
      what: "lock of a living preview whose holder is dead",
      name: `orphan lock ${living}/${LOCK}`,
      undo: () => rm(file, { force: true }),
    },
  ];
}

async function plantInDatabase({ dataDir, strange }: Soil, kind: "database" | "role"): Promise<Planted[]> {
  const name = strange().replaceAll("-", "_");
  await onServer(dataDir, `create ${kind} ${name}`);
  return [
    {
      what: `${kind} of no pull request`,
      name: `orphan ${kind} ${name}`,
      undo: () => onServer(dataDir, `drop ${kind} if exists ${name}`),
    },
  ];
}

async function onServer(dataDir: string, statement: string): Promise<void> {
  const connectionString = (await readFile(join(dataDir, "postgres/previews.url"), "utf8")).trim();
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function plantUser({ dataDir, strange }: Soil): Promise<Planted[]> {
  const stack = strange();
  const user = await allocateUser(dataDir, stack);
  return [
    { what: "user of no pull request", name: `orphan user ${stack}`, undo: () => freeUser(dataDir, stack) },
    await plantProcess("process of that user, with no other mark", { uid: user, gid: user }),
  ];
}

async function plantGroup({ dataDir, strange }: Soil): Promise<Planted[]> {
  const name = limitsName(dataDir, strange(), "web-00000000");
  const member = await plantProcess("process in that group, with no other mark", {});
  await applyLimits(name, member.pid, { memoryMiB: 64, cpu: 1 });
  return [
    { what: "control group of no pull request", name: `orphan control group ${name}`, undo: () => removeLimits(name) },
    member,
  ];
}

async function plantProcess(what: string, options: SpawnOptions): Promise<Planted & { readonly pid: number }> {
  const child = spawn("/bin/sleep", ["600"], { cwd: "/", env: {}, detached: true, stdio: "ignore", ...options });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  const { pid = 0 } = child;
  return {
    what,
    name: `orphan process ${pid}`,
    pid,
    undo: () => {
      child.kill("SIGKILL");
      return ended;
    },
  };
}

/** Of a process that was and is no more. */
async function deadPid(): Promise<number> {
  const child = execa("true");
  await child;
  return child.pid ?? 0;
}
