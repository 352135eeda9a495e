import { once } from "node:events";
import { createServer } from "node:net";
import { WrongUse } from "../wrong-use.ts";

/** Throws `WrongUse` when nobody could listen there now; port 0 always passes. */
export async function refuseTakenPort(host: string, port: number): Promise<void> {
  const probe = createServer();
  try {
    probe.listen({ host, port, exclusive: true });
    await once(probe, "listening");
  } catch (error) {
    throw portError(host, port, error);
  } finally {
    await new Promise((resolve) => probe.close(resolve));
  }
}

/** A port of this machine that is free now. */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  const probe = createServer().listen(0, host);
  await once(probe, "listening");
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("choosing a free port: there is none");
  return address.port;
}

/** The error of a listen in a person's words where it is theirs to mend. */
export function portError(host: string, port: number, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: "another program uses it; choose another with --port",
    EACCES: "this user may not use it; choose one above 1023 with --port",
    EADDRNOTAVAIL: `this machine has no address "${host}"`,
  };
  const said = typeof code === "string" ? why[code] : undefined;
  return said ? new WrongUse(`listening on port ${port}: ${said}`, error) : error;
}
