/** Asks a service on this machine whether it can take traffic. */
import { request } from "node:http";
import { connect } from "node:net";

export type Health =
  | { readonly ok: true; readonly open: true; readonly address: string }
  | { readonly ok: false; readonly open: boolean; readonly answer: string };

/** `localhost` means one or the other, as the application's runtime sees it. */
const HOSTS = ["127.0.0.1", "::1"];

/** Healthy means an answer of 200–399 on `path`, or an open port where there is none. */
export async function probe(port: number, path: string | undefined, timeoutMs: number): Promise<Health> {
  for (const host of HOSTS) {
    if (!(await isOpen(host, port, timeoutMs))) continue;
    const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    if (path === undefined) return { ok: true, open: true, address };
    const status = await statusOf({ host, port, path, timeoutMs });
    if (status !== undefined && status >= 200 && status < 400) return { ok: true, open: true, address };
    return { ok: false, open: true, answer: status === undefined ? "did not answer" : `answered ${status}` };
  }
  return { ok: false, open: false, answer: "did not answer" };
}

function isOpen(host: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const done = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
    socket.once("timeout", () => done(false));
  });
}

function statusOf(target: {
  host: string;
  port: number;
  path: string;
  timeoutMs: number;
}): Promise<number | undefined> {
  const { host, port, path, timeoutMs } = target;
  return new Promise((resolve) => {
    const sent = request({
      host,
      port,
      path,
      timeout: timeoutMs,
      headers: { host: "localhost", "user-agent": "stackling-health" },
    });
    sent.once("response", (response) => {
      response.resume();
      resolve(response.statusCode);
      sent.destroy();
    });
    sent.once("timeout", () => sent.destroy());
    sent.on("error", () => resolve(undefined));
    sent.once("close", () => resolve(undefined));
    sent.end();
  });
}
