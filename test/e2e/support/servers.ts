/** The Postgres servers of a data folder, for tests that look into them or take them away. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { SUPERUSER } from "../../../service/embedded/postgres.ts";

export type ServerName = "store" | "previews";

export interface Server {
  /** The postmaster's. */
  readonly pid: number;
  readonly url: string;
}

/** As its own files tell. Rejects when it does not run. */
export async function findServer(dataDir: string, name: ServerName): Promise<Server> {
  const dir = join(dataDir, "postgres", name);
  const [pid = "", , , port = ""] = (await readFile(join(dir, "data", "postmaster.pid"), "utf8")).split("\n");
  const password = (await readFile(join(dir, "password"), "utf8")).trim();
  return { pid: Number(pid), url: `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres` };
}

/** Stops every process of a server where it stands, as a machine does that hangs; the result lets them go on. */
export async function freezeServer(dataDir: string, name: ServerName): Promise<() => void> {
  const { pid } = await findServer(dataDir, name);
  // The postmaster first, so that nothing new begins behind the list.
  const stopped = signal(pid, "SIGSTOP") ? [pid, ...(await childrenOf(pid))] : [];
  for (const one of stopped) signal(one, "SIGSTOP");
  return () => {
    for (const one of stopped) signal(one, "SIGCONT");
  };
}

/** False when it ended meanwhile. */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found: number[] = [];
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    // The name in brackets may hold spaces; the parent's pid is the second field behind it.
    if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent) found.push(pid);
  }
  return found;
}
