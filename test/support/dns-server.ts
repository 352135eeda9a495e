import { createSocket } from "node:dgram";
import { once } from "node:events";

export interface DnsServer {
  /** `127.0.0.1:PORT`, as resolvers take it. */
  readonly address: string;
  /** Names asked for, in order. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** A name server on loopback that answers questions for A by the function, and knows nothing of any other type. */
export async function startDnsServer(addressOf: (name: string) => string | undefined): Promise<DnsServer> {
  const socket = createSocket("udp4");
  const asked: string[] = [];
  socket.on("message", (query, { address, port }) => {
    const { name, type, end } = questionOf(query);
    asked.push(name);
    const found = addressOf(name);
    const answer = found !== undefined && type === TYPE_A ? recordOf(found) : Buffer.alloc(0);
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(found === undefined ? 0x8183 : 0x8180, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(answer.length > 0 ? 1 : 0, 6);
    socket.send(Buffer.concat([header, query.subarray(12, end), answer]), port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

const TYPE_A = 1;

/** RFC 1035, 4.1.2: labels with their lengths, a zero, type and class. */
function questionOf(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString("ascii", at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join("."), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** RFC 1035, 4.1.3, with a pointer to the question's name. */
function recordOf(address: string): Buffer {
  const head = Buffer.from([0xc0, 0x0c, 0, TYPE_A, 0, 1, 0, 0, 0, 60, 0, 4]);
  return Buffer.concat([head, Buffer.from(address.split(".").map(Number))]);
}
