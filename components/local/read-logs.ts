/** Reads and follows the logs of a preview's services. */
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { LogLine, LogQuery } from "../ports.ts";
import { knownSecrets } from "./known-secrets.ts";
import { layout } from "./layout.ts";
import { readBetween, sizeOf, tailOfLog } from "./log-file.ts";
import { hiderOf, redact } from "./redact.ts";
import { listReleases } from "./release-files.ts";

const TAIL_BYTES = 1024 * 1024;
const POLL_MS = 150;

/**
 * What install, build and tasks said comes as services of those names, of a linked repository as `install-ALIAS` and
 * `build-ALIAS`. Lines are redacted.
 */
export async function* readLogs(dataDir: string, stack: string, query: LogQuery): AsyncGenerator<LogLine> {
  const { logs } = layout(dataDir).preview(stack);
  const secrets = new Set(await secretsOf(dataDir, stack));
  let hide = hiderOf(secrets);
  const read = new Map<string, { offset: number; rest: string }>();
  for (const service of await logNames(logs, query.service)) {
    const file = join(logs, `${service}.log`);
    const offset = await sizeOf(file);
    const lines = (await tailOfLog(file, TAIL_BYTES)).split("\n");
    const rest = query.follow ? (lines.pop() ?? "") : "";
    const complete = lines.filter((line, index) => line !== "" || index < lines.length - 1);
    for (const text of query.tail > 0 ? complete.slice(-query.tail) : []) yield { service, text: redact(hide(text)) };
    read.set(service, { offset, rest });
  }
  while (query.follow && !query.signal.aborted) {
    for (const service of await logNames(logs, query.service)) {
      const file = join(logs, `${service}.log`);
      const size = await sizeOf(file);
      const last = read.get(service) ?? { offset: 0, rest: "" };
      // Smaller than before: it was cut, what is there is new.
      const offset = size < last.offset ? 0 : last.offset;
      if (size === offset) continue;
      const lines = (last.rest + (await readBetween(file, Math.max(offset, size - TAIL_BYTES), size))).split("\n");
      read.set(service, { offset: size, rest: (lines.pop() ?? "").slice(-TAIL_BYTES) });
      // A release that came meanwhile may have been given others.
      const known = secrets.size;
      for (const secret of await secretsOf(dataDir, stack)) secrets.add(secret);
      if (secrets.size > known) hide = hiderOf(secrets);
      for (const text of lines) yield { service, text: redact(hide(text)) };
    }
    await delay(POLL_MS, undefined, { signal: query.signal }).catch(() => undefined);
  }
}

async function secretsOf(dataDir: string, stack: string): Promise<string[]> {
  const releases = await listReleases(dataDir, stack);
  return [...releases.flatMap(({ launch }) => launch.secrets), ...(await knownSecrets(dataDir, stack))];
}

async function logNames(folder: string, service: string | undefined): Promise<string[]> {
  const files = await readdir(folder).catch(() => []);
  const names = files.filter((file) => file.endsWith(".log")).map((file) => basename(file, ".log"));
  return names.filter((name) => service === undefined || name === service).sort();
}
