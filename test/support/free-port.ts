/** Ports for servers that have to be told one. */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below what Linux gives to outgoing connections and to whoever listens on port 0 (32768 and more), and below what the
 * services of previews choose from (components/local/ports.ts): nobody is given it between this look and the listening.
 */
const FIRST = 10_000;
const BEHIND_LAST = 20_000;

const given = new Set<number>();

/** A port of 127.0.0.1 that is free now, and in this process another one each time. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, BEHIND_LAST);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  probe.listen(port, "127.0.0.1");
  try {
    await once(probe, "listening");
  } catch {
    return false;
  }
  probe.close();
  await once(probe, "close");
  return true;
}
