/** Requests a second for a small page: direct, through a bare proxy of the same library, through the gateway. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type BenchPart, sample } from "./part.ts";

const CONNECTIONS = 20;
const SAMPLE_MS = 1_500;
const WARM_UP_MS = 1_000;
const REQUEST =
  "GET / HTTP/1.1\r\nHost: pr-42-shop.localhost:4000\r\nUser-Agent: Mozilla/5.0\r\nAccept: text/html\r\nConnection: keep-alive\r\n";
/** As a browser asks for what a person sees. */
const VISIT = `${REQUEST}Sec-Fetch-Dest: document\r\n`;
const END = Buffer.from("</html>");
/** Of a page whose length nobody knows: with the banner in it. */
const LAST_CHUNK = Buffer.from("0\r\n\r\n");

/** Three servers, each in its own process; samples are interleaved, so that a busy machine slows all alike. */
export const benchGateway: BenchPart = async (context) => {
  context.say("gateway");
  const page = await start("page");
  const servers = [page];
  try {
    const bare = await start("bare", page.port);
    servers.push(bare);
    const ours = await start("ours", page.port);
    servers.push(ours);
    const rates = { direct: [] as number[], bare: [] as number[], ours: [] as number[], visits: [] as number[] };
    for (const { port } of servers) await requestsPerSecond(port, WARM_UP_MS);
    await sample(context, async () => {
      rates.direct.push(await requestsPerSecond(page.port, SAMPLE_MS));
      rates.bare.push(await requestsPerSecond(bare.port, SAMPLE_MS));
      rates.ours.push(await requestsPerSecond(ours.port, SAMPLE_MS));
      rates.visits.push(await requestsPerSecond(ours.port, SAMPLE_MS, VISIT));
    });
    const notes = [`${CONNECTIONS} connections, page of 1 KB`];
    const line = {
      name: "gateway, small page",
      unit: "per second",
      ours: rates.ours,
      ratio: "ours/theirs",
      notes,
    } as const;
    return [
      { ...line, peer: "bare httpxy proxy", theirs: rates.bare, aim: { kind: "min", value: 0.8 } },
      { ...line, peer: "no proxy", theirs: rates.direct },
      { ...line, name: "gateway, with banner", ours: rates.visits, peer: "bare httpxy proxy", theirs: rates.bare },
    ];
  } finally {
    for (const { child } of servers) child.kill();
  }
};

async function start(
  role: string,
  upstream?: number,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const file = new URL("./gateway-server.ts", import.meta.url).pathname;
  const child = fork(file, [role, ...(upstream === undefined ? [] : [`127.0.0.1:${upstream}`])], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const failed = once(child, "exit").then(() => {
    throw new Error(`starting the benchmark's server "${role}": it ended at once`);
  });
  const [port] = await Promise.race([once(child, "message"), failed]);
  failed.catch(() => {});
  return { child, port: Number(port) };
}

/** A client that costs as little as it can, or it would be what is measured. */
async function requestsPerSecond(port: number, durationMs: number, head = REQUEST): Promise<number> {
  let done = 0;
  let over = false;
  const request = `${head}\r\n`;
  const start = performance.now();
  const talk = async (socket: Socket) => {
    socket.setNoDelay(true);
    await once(socket, "connect");
    const closed = once(socket, "close");
    socket.on("data", (chunk: Buffer) => {
      if (!endsWith(chunk, END) && !endsWith(chunk, LAST_CHUNK)) return;
      if (over) {
        socket.end();
        return;
      }
      done += 1;
      socket.write(request);
    });
    socket.write(request);
    await closed;
  };
  setTimeout(() => {
    over = true;
  }, durationMs);
  const talks = Array.from({ length: CONNECTIONS }, () => talk(connect(port, "127.0.0.1")));
  await Promise.all(talks);
  return (done / (performance.now() - start)) * 1_000;
}

function endsWith(chunk: Buffer, end: Buffer): boolean {
  return chunk.subarray(-end.length).equals(end);
}
