/**
 * The end of a lease's patience. A timer stands still while the machine is suspended, and would give a run that overslept
 * its lease the rest of its time; what has passed since the boot is looked at too. Not the time of day: a clock that is
 * set must end nobody's run.
 */

/** Looks in one whole time. */
const LOOKS = 20;

export interface Deadline {
  /** As if it began now. */
  renew(): void;
  cancel(): void;
}

/**
 * Calls `onPassed` when `limitMs` passed since the last `renew`, and may do so again until it is canceled or renewed.
 *
 * @param sinceBoot seconds, time asleep included (`os.uptime`)
 */
export function startDeadline(
  { sinceBoot, onPassed }: { sinceBoot(): number; onPassed(): void },
  limitMs: number,
): Deadline {
  let begin = sinceBoot();
  let timer = setTimeout(onPassed, limitMs);
  const looks = setInterval(() => {
    if ((sinceBoot() - begin) * 1000 > limitMs) onPassed();
  }, limitMs / LOOKS);
  return {
    renew() {
      begin = sinceBoot();
      clearTimeout(timer);
      timer = setTimeout(onPassed, limitMs);
    },
    cancel() {
      clearTimeout(timer);
      clearInterval(looks);
    },
  };
}
