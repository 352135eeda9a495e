/** What `/preview logs` shows: the last that a preview's services said, free of secrets. */
import type { Logger } from "pino";
import { lineHider, shownLine } from "../../components/local/output.ts";
import type { PreviewSpec } from "../../infra/spec.ts";
import type { Preview } from "../status.ts";
import { within } from "../within.ts";
import type { World } from "../world.ts";

/** Of all services together: a comment is no place for more. */
const MOST_LINES = 40;
const LINE_MAX = 300;
/** Whoever commented waits for the other commands of the same look too. */
const READ_MS = 10_000;

export interface LogDeps {
  readonly world: Pick<World, "logs">;
  readonly resolveSecrets: (spec: PreviewSpec) => Promise<Readonly<Record<string, string>>>;
  readonly logger: Pick<Logger, "warn">;
}

/** Last lines, oldest first, of each service in turn; or why there are none, as the rest of a sentence. */
export type LogExcerpt =
  | { readonly lines: readonly string[]; readonly problem?: undefined }
  | { readonly problem: string; readonly lines?: undefined };

/** Takes ten seconds at most, and never rejects: what cannot be read is said. */
export async function readLogExcerpt(
  deps: LogDeps,
  { key, stack, status: { live } }: Pick<Preview, "key" | "stack" | "status">,
  service?: string,
): Promise<LogExcerpt> {
  if (!live) return { problem: "nothing of it runs yet" };
  const names = live.services.map(({ name }) => name);
  if (service !== undefined && !names.includes(service)) {
    return { problem: `it has no such service; there are ${names.map((name) => `\`${name}\``).join(", ")}` };
  }
  const aborted = new AbortController();
  try {
    const read = lastLines(deps, { stack, live, service, signal: aborted.signal });
    const lines = await within(READ_MS, read, undefined);
    if (!lines) return { problem: "its log could not be read in time; `/preview logs` tries again" };
    return lines.length > 0 ? { lines } : { problem: "its log is empty" };
  } catch (error) {
    deps.logger.warn({ key, err: error }, "reading the log for a comment failed");
    return { problem: "its log cannot be read now; the service's own log says why" };
  } finally {
    aborted.abort();
  }
}

interface Question {
  readonly stack: string;
  readonly live: PreviewSpec;
  readonly service: string | undefined;
  readonly signal: AbortSignal;
}

async function lastLines(deps: LogDeps, { stack, live, service, signal }: Question): Promise<readonly string[]> {
  const hide = lineHider(Object.values(await deps.resolveSecrets(live)));
  const asked = service === undefined ? live.services.length : 1;
  const tail = Math.max(1, Math.floor(MOST_LINES / asked));
  const lines: string[] = [];
  const query = { ...(service === undefined ? {} : { service }), tail, follow: false, signal };
  for await (const line of deps.world.logs(live.target, stack, query)) {
    const text = shownLine(line.text, hide).slice(0, LINE_MAX).toWellFormed();
    lines.push(asked > 1 ? `${line.service} | ${text}` : text);
  }
  return lines.slice(-MOST_LINES);
}
