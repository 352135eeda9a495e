/** A real Redis on loopback, with users that it keeps. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@redis/client";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";

export interface RedisServer {
  /** Of its administrator. */
  readonly url: string;
  stop(): Promise<void>;
}

export async function startRedis({ keepsUsers = true } = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "stackling-redis-"));
  const users = join(folder, "users.acl");
  await writeFile(users, "user default on nopass ~* &* +@all\n");
  const port = await freePort();
  const options = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"];
  const server = spawn("redis-server", [...options, ...(keepsUsers ? ["--aclfile", users] : [])], { stdio: "ignore" });
  const url = `redis://127.0.0.1:${port}`;
  await eventually(async () => redis(url, async (ask) => ask("PING")), { what: "Redis answers" });
  return {
    url,
    async stop() {
      server.kill("SIGKILL");
      if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** As whoever the URL names; rejects with the server's own words. */
export async function redis<T>(
  url: string,
  work: (ask: (...args: string[]) => Promise<unknown>) => Promise<T>,
): Promise<T> {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on("error", () => {});
  await client.connect();
  try {
    return await work((...args) => client.sendCommand(args));
  } finally {
    client.destroy();
  }
}
