/** Other previews run on this machine too, as users of their own: an inbox is open to its own preview and to the gateway. */
import type { Socket } from "node:net";
import { isFromOthers } from "../sockets.ts";

type Ends = Pick<Socket, "remoteAddress" | "remotePort" | "localPort">;

const ROOT = 0;
/** By connection, for one carries many requests. */
const known = new WeakMap<object, Promise<boolean>>();

/** True for a connection that neither this preview's user began nor root, as whom the gateway runs where previews have users. */
export function isStranger(socket: Ends): Promise<boolean> {
  const answer = known.get(socket) ?? ask(socket);
  known.set(socket, answer);
  return answer;
}

async function ask({ remoteAddress, remotePort, localPort }: Ends): Promise<boolean> {
  const user = process.getuid?.();
  if (user === undefined || localPort === undefined) return false;
  return isFromOthers(`${remoteAddress}:${remotePort}`, localPort, [user, ROOT]);
}
