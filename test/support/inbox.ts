/** An inbox as a preview runs it: the real program, with a mail client before it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createTransport, type Transporter } from "nodemailer";

export const INBOX_HOST = "pr-1-emulated-mail-shop.localhost:4000";

export interface RunningInbox {
  readonly child: ChildProcess;
  readonly url: string;
  readonly smtp: { readonly host: string; readonly port: number };
  readonly mailer: Transporter;
  end(): Promise<void>;
}

/** @param folder what `inboxFolder` made */
export async function startInbox(
  folder: string,
  { kind, home }: { readonly kind: "smtp" | "sms" | "webhooks"; readonly home: string },
): Promise<RunningInbox> {
  const env = { PATH: process.env.PATH, HOME: home, PORT: "0", PORT_SMTP: "0" };
  const named = { ...env, INBOX_NAME: "mail", INBOX_URL: `http://${INBOX_HOST}` };
  const child = spawn(process.execPath, [join(folder, "main.mjs"), kind], { env: named, cwd: folder });
  child.stderr.pipe(process.stderr);
  const ports: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    ports.push(Number(/port (\d+)$/.exec(line)?.[1]));
    if (ports.length === (kind === "smtp" ? 2 : 1)) break;
  }
  const smtp = { host: "127.0.0.1", port: ports[0] ?? 0 };
  const url = `http://127.0.0.1:${ports.at(-1)}`;
  return { child, url, smtp, mailer: createTransport(smtp), end: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}
