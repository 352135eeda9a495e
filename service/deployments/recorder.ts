/** Keeps what a deployment tells: numbered, free of secrets, bounded, and in the store a moment later. */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { lineHider, shownLine } from "../../components/local/output.ts";
import { codeOf } from "../store/database.ts";
import type { DeployLine, DeployLog, Deployment, DeploymentStore, NewDeployment } from "./deployment.ts";
import { createSteps, stageOfReason } from "./steps.ts";
import { eventWords, STAGE_TITLES, stageOfOutput } from "./words.ts";

/** Lines of a moment are written as one. */
const FLUSH_MS = 200;
/** Of one write. */
const BATCH_CHARACTERS = 48 * 1024;
/** What is kept: the beginning, and the end; together 1 MiB. */
export const HEAD_CHARACTERS = 384 * 1024;
export const TAIL_CHARACTERS = 640 * 1024;
/** Held while the store does not answer; of what is more the oldest goes. */
const WAITING_CHARACTERS = 512 * 1024;
const RETRY_MS = 1_000;
/** Behind its end no longer than that. */
const GIVE_UP_MS = 60_000;
/** Of one event. */
const EVENT_LINES = 200;

export interface RecorderDeps {
  readonly store: Pick<DeploymentStore, "beginDeployment" | "writeDeployment">;
  /** ISO 8601 UTC. */
  readonly now: () => string;
  readonly logger: Pick<Logger, "warn">;
}

export interface Recorder {
  begin(deployment: NewDeployment): DeployLog;
  /** Resolves when what was told is written. */
  settled(): Promise<void>;
}

export function createRecorder(deps: RecorderDeps): Recorder {
  const open = new Set<Promise<void>>();
  return {
    begin: (deployment) => {
      const { log, written } = record(deps, deployment);
      open.add(written);
      void written.finally(() => open.delete(written));
      return log;
    },
    settled: async () => void (await Promise.all(open)),
  };
}

type End = Parameters<DeployLog["end"]>[0] & { readonly endedAt: string };

/** What was told and is not in the store yet. */
interface Told {
  readonly about: Omit<NewDeployment, "queuedAt">;
  /** ISO 8601 UTC */
  readonly at: string;
  readonly steps: ReturnType<typeof createSteps>;
  lines: DeployLine[];
  characters: number;
  ended: End | undefined;
  changed: boolean;
  wake: () => void;
}

function record(deps: RecorderDeps, { queuedAt, ...about }: NewDeployment) {
  const { now } = deps;
  const at = now();
  const steps = createSteps();
  const secrets: string[] = [];
  let withoutSecrets = lineHider(secrets);
  const told: Told = {
    about,
    at,
    steps,
    lines: [],
    characters: 0,
    ended: undefined,
    changed: true,
    wake: () => {},
  };
  let n = 0;

  const add = (kind: DeployLine["kind"], text: string, source?: string) => {
    if (told.ended) return;
    n += 1;
    told.lines.push({ n, at: now(), kind, ...(source === undefined ? {} : { source }), text });
    told.characters += text.length;
    while (told.characters > WAITING_CHARACTERS) told.characters -= told.lines.shift()?.text.length ?? 0;
    touch(told);
  };
  const say: DeployLog["say"] = (text, kind = "step") => {
    for (const line of text.split("\n").slice(0, EVENT_LINES)) {
      if (line.trim() !== "") add(kind, shownLine(line, withoutSecrets));
    }
  };
  if (queuedAt !== undefined && queuedAt < at) steps.put({ stage: "queue", at: queuedAt, endedAt: at });
  say(about.cause);

  const log: DeployLog = {
    stage: (stage, text) => {
      steps.only(stage, now());
      say(text);
    },
    say,
    event: (event) => {
      const words = eventWords(event);
      if (!words) return;
      if (words.stage && event.kind === "resource") steps.seen(words.stage, event.done ?? false, now());
      say(words.text, words.kind);
    },
    output: ({ source, lines }) => {
      const stage = stageOfOutput(source);
      if (steps.enter(stage, now()) && stage !== "services") say(`${STAGE_TITLES[stage]}:`);
      for (const line of lines) add("output", withoutSecrets(line), source);
    },
    hide: (values) => {
      secrets.push(...values);
      withoutSecrets = lineHider(secrets);
    },
    end: (end) => {
      if (told.ended) return;
      steps.close(now(), end.outcome === "failed" ? stageOfReason(end.reason) : undefined, end.outcome);
      const { message } = end;
      if (message) say(message, end.outcome === "failed" ? "problem" : "step");
      told.ended = { ...end, ...(message ? { message: shownLine(message, withoutSecrets) } : {}), endedAt: now() };
      touch(told);
    },
  };
  return { log, written: write(deps, told) };
}

function touch(told: Told): void {
  told.changed = true;
  told.wake();
}

/** One write after the other until it has ended; never rejects. */
async function write({ store, logger }: RecorderDeps, told: Told): Promise<void> {
  const { about, at, steps } = told;
  const kept = createKept();
  let id: string | undefined;
  let triedSince: number | undefined;
  let written = 0;
  for (;;) {
    while (!told.changed) await new Promise<void>((resolve) => (told.wake = resolve));
    if (!told.ended && id !== undefined && told.characters < BATCH_CHARACTERS) await settle(told);
    told.changed = false;
    const batch = take(told.lines);
    try {
      id ??= await store.beginDeployment({ ...about, at, steps: steps.list() });
      const over = told.ended && batch.length === told.lines.length;
      written = batch.at(-1)?.n ?? written;
      const lines = batch.map((line) => ({ ...line, text: line.text.toWellFormed() }));
      await store.writeDeployment(
        { id, key: about.key, steps: steps.list(), lines: written, ...stateOf(over ? told.ended : undefined) },
        { lines, forget: kept.afterAdding(batch) },
      );
      kept.added(batch);
      told.lines = told.lines.filter((line) => line.n > (batch.at(-1)?.n ?? 0));
      told.characters = told.lines.reduce((sum, { text }) => sum + text.length, 0);
      triedSince = undefined;
      if (over) return;
      if (told.lines.length > 0 || told.ended) told.changed = true;
    } catch (error) {
      told.changed = true;
      triedSince ??= performance.now();
      if (told.ended && performance.now() - triedSince > GIVE_UP_MS) {
        return logger.warn({ key: about.key, code: codeOf(error) }, "a deployment's log was not written to its end");
      }
      await delay(RETRY_MS, undefined, { ref: false });
    }
  }
}

/** Until a moment is over, or it has ended. */
async function settle(told: Told): Promise<void> {
  const over = new AbortController();
  told.wake = () => told.ended && over.abort();
  await delay(FLUSH_MS, undefined, { signal: over.signal }).catch(() => undefined);
  told.wake = () => {};
}

function stateOf(
  ended: Pick<Deployment, "outcome" | "endedAt" | "reason" | "message"> | undefined,
): Pick<Deployment, "outcome" | "endedAt" | "reason" | "message"> {
  return ended ?? { outcome: "running" };
}

/** The first lines that fit into one write. */
function take(lines: readonly DeployLine[]): readonly DeployLine[] {
  let characters = 0;
  const end = lines.findIndex(({ text }) => {
    characters += text.length;
    return characters > BATCH_CHARACTERS;
  });
  return end < 0 ? [...lines] : lines.slice(0, Math.max(1, end));
}

/** Which batches are in the store, and which of them go for what comes. */
function createKept() {
  let head = 0;
  let tail: { readonly first: number; readonly characters: number }[] = [];
  const sizeOf = (batch: readonly DeployLine[]) => batch.reduce((sum, { text }) => sum + text.length, 0);
  const surplus = (batch: readonly DeployLine[]) => {
    let characters = tail.reduce((sum, one) => sum + one.characters, head < HEAD_CHARACTERS ? 0 : sizeOf(batch));
    let count = 0;
    for (const one of tail) {
      if (characters <= TAIL_CHARACTERS) break;
      characters -= one.characters;
      count += 1;
    }
    return count;
  };
  return {
    /** First lines of the batches that go once this one is added. */
    afterAdding: (batch: readonly DeployLine[]) => tail.slice(0, surplus(batch)).map(({ first }) => first),
    added(batch: readonly DeployLine[]): void {
      tail = tail.slice(surplus(batch));
      const [first] = batch;
      if (!first) return;
      if (head < HEAD_CHARACTERS) head += sizeOf(batch);
      else tail.push({ first: first.n, characters: sizeOf(batch) });
    },
  };
}
