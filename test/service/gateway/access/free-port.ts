import { once } from "node:events";
import { createServer } from "node:http";
import { listen, portOf } from "../edge.ts";

/** For servers that have to be told one. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await listen(server);
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}
