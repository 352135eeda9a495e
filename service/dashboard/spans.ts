/** Spans of seconds and shares, as charts and numbers say them: in whichever unit is one to read. */

/** In seconds. */
const [MINUTE, HOUR, DAY] = [60, 3600, 86_400];

/** `4.2 s`, `3 min`, `5 h` */
export function secondsText(seconds: number): string {
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 2 * MINUTE) return `${Math.round(seconds)} s`;
  return seconds < 2 * HOUR ? `${few(seconds / MINUTE)} min` : `${few(seconds / HOUR)} h`;
}

/** `6 h`, `3 d` */
export function daysText(seconds: number): string {
  return seconds < 2 * DAY ? `${few(seconds / HOUR)} h` : `${few(seconds / DAY)} d`;
}

/** From minutes to weeks: `40 min`, `6 h`, `3 d` */
export function leadText(seconds: number): string {
  return seconds < 2 * HOUR ? `${Math.round(seconds / MINUTE)} min` : daysText(seconds);
}

/** `97.5 %` of 0.975 */
export function rateText(rate: number): string {
  return `${Math.round(rate * 1000) / 10} %`;
}

/** People read `2 h, 4 h` more easily than every 10,000 seconds. */
export function timeUnit(greatest: number): number {
  if (greatest < 2 * MINUTE) return 1;
  if (greatest < 2 * HOUR) return MINUTE;
  return greatest < 2 * DAY ? HOUR : DAY;
}

/** Whole from ten on. */
function few(value: number): number {
  return value < 10 ? Math.round(value * 10) / 10 : Math.round(value);
}
