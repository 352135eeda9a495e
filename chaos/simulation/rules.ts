/** What must hold on the way, judged by what people did and what runs, never by what the service believes. */
import type { Preview } from "../../service/status.ts";
import { stackOf } from "./ends.ts";
import { DAY, type Deed, TIMES } from "./script.ts";

/** An engine may have been started on what was true this long before. */
const GRACE_MS = 5_000;
/** By then a person's word is carried out when nothing else is under way. */
const SOON_MS = 300_000;

export interface Rules {
  /** Somebody does this now. */
  did(deed: Deed): void;
  /** An engine starts; the result is called when it ends. */
  engineStarts(verb: string, stack: string): () => void;
  /** What the service says of a preview. */
  announced(preview: Preview): void;
  /** How often an author was warned. */
  readonly warnings: number;
  /** Most previews that were live at once. */
  readonly mostLive: number;
  readonly broken: readonly string[];
}

/** What renews idleness; closed and opened again before anybody heard of it is no use. */
const USES: ReadonlySet<Deed["kind"]> = new Set(["open", "push", "visit", "extend"]);

interface Life {
  openSince: number | undefined;
  usedAt: number;
  /** Nothing may end it before, but its pull request. */
  heldUntil: number;
}

/** Times in simulated ms. `isAwake` looks at the world. */
export function createRules({
  cap,
  awakeStacks,
}: {
  readonly cap: number;
  readonly awakeStacks: () => Iterable<string>;
}): Rules {
  const lives = new Map<string, Life>();
  const running = new Map<string, string>();
  const warned = new Map<string, NonNullable<Preview["status"]["warned"]>>();
  const broken: string[] = [];
  let stoppedAt: number | undefined;
  const pauses: { readonly from: number; readonly to: number }[] = [];
  let [warnings, mostLive] = [0, 0];

  function lifeOf(number: number): Life {
    const life = lives.get(stackOf(number)) ?? { openSince: undefined, usedAt: 0, heldUntil: 0 };
    lives.set(stackOf(number), life);
    return life;
  }

  function checkDestroy(stack: string): void {
    const life = lives.get(stack);
    const now = Date.now();
    if (!life || life.openSince === undefined || now - life.openSince <= GRACE_MS) return;
    const stopped = pauses.map(({ from, to }) => Math.max(0, to - Math.max(from, life.usedAt)));
    const idleMs = now - life.usedAt - stopped.reduce((sum, ms) => sum + ms, 0);
    if (idleMs < TIMES.destroyAfter * 1000) broken.push(`${stack}: destroyed while its pull request is open`);
    else if (now < life.heldUntil) broken.push(`${stack}: destroyed although it was kept or extended`);
    else if (!warned.has(stack)) broken.push(`${stack}: destroyed for idleness without a warning`);
  }

  function checkAsleep(stack: string): void {
    if ([...awakeStacks()].includes(stack)) broken.push(`${stack}: awake although it was sent to sleep`);
  }

  function checkUp(stack: string): void {
    if (stoppedAt !== undefined && Date.now() - stoppedAt > GRACE_MS) {
      broken.push(`${stack}: brought up while everything is stopped`);
    }
    const ups = [...running].filter(([, verb]) => verb === "up").map(([one]) => one);
    const live = new Set([...awakeStacks(), ...ups, stack]).size;
    mostLive = Math.max(mostLive, live);
    if (live > cap) broken.push(`${stack}: ${live} live previews where ${cap} may be`);
  }

  return {
    broken,
    get warnings() {
      return warnings;
    },
    get mostLive() {
      return mostLive;
    },
    did({ number, kind }) {
      const now = Date.now();
      if (kind === "stop-all") stoppedAt = now;
      if (kind === "resume-all" && stoppedAt !== undefined) {
        pauses.push({ from: stoppedAt, to: now });
        stoppedAt = undefined;
      }
      if (number === 0) return;
      const life = lifeOf(number);
      if (kind === "open" || kind === "reopen") life.openSince = now;
      if (kind === "close" || kind === "merge") life.openSince = undefined;
      if (kind === "keep") life.heldUntil = Number.POSITIVE_INFINITY;
      if (kind === "extend") life.heldUntil = now + DAY.extendSeconds * 1000;
      if (USES.has(kind)) life.usedAt = now;
      if (kind === "sleep") setTimeout(checkAsleep, SOON_MS, stackOf(number));
    },
    engineStarts(verb, stack) {
      if (running.has(stack)) broken.push(`${stack}: two engines at once`);
      if (verb === "destroy") checkDestroy(stack);
      if (verb === "up") checkUp(stack);
      running.set(stack, verb);
      return () => void running.delete(stack);
    },
    announced({ stack, status }) {
      const before = warned.get(stack);
      if (!status.warned || status.warned.at === before?.at) return;
      if (before && before.idleSince === status.warned.idleSince)
        broken.push(`${stack}: warned twice of one idle time`);
      warned.set(stack, status.warned);
      warnings += 1;
    },
  };
}
