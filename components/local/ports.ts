/** Chooses a port for a service and remembers which are given out. */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { StacklingError } from "../errors.ts";
import { listReleases, listStacks } from "./release-files.ts";

/** Below what systems hand out to outgoing connections, which could take it while a preview sleeps. */
const FIRST = 20_000;
const COUNT = 12_000;
const ATTEMPTS = 50;

/** A port that nobody listens on and no release on this machine was given, nor is in `taken`. */
export async function choosePort(dataDir: string, taken: readonly number[] = []): Promise<number> {
  const given = new Set([...(await givenPorts(dataDir)), ...taken]);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = FIRST + randomInt(COUNT);
    if (!given.has(port) && (await isFree(port))) return port;
  }
  throw new StacklingError({ reason: "StartFailed", userMessage: "choosing a port: none was free" });
}

async function givenPorts(dataDir: string): Promise<Set<number>> {
  const releases = await Promise.all((await listStacks(dataDir)).map((stack) => listReleases(dataDir, stack)));
  return new Set(releases.flat().flatMap(({ launch }) => [launch.port, ...Object.values(launch.ports ?? {})]));
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
