/** Times as a person says them; the exact one is in the tooltip and in `datetime`. */
import { type Html, html } from "../html.ts";
import { minuteOf } from "../reason-words.ts";

/** `5 min ago` */
export function ago(at: string | undefined, now: Date): Html {
  if (at === undefined) return html`<span class="soft">never</span>`;
  const seconds = Math.round((now.getTime() - Date.parse(at)) / 1000);
  return timeOf(at, seconds < 45 ? "just now" : `${spanText(seconds)} ago`);
}

/** `5 min`, of what goes on */
export function age(since: string, now: Date): Html {
  return timeOf(since, spanText(Math.round((now.getTime() - Date.parse(since)) / 1000)));
}

/** `in 21 days` */
export function until(at: string, now: Date): Html {
  const seconds = Math.round((Date.parse(at) - now.getTime()) / 1000);
  return timeOf(at, seconds < 45 ? "any moment now" : `in ${spanText(seconds)}`);
}

/** The same, with the minute below it. */
export function untilMinute(at: string, now: Date): Html {
  return html`${until(at, now)}<span class="minute soft">${minuteOf(at)}</span>`;
}

/** `4.2 s`, `1 min 20 s`, `2 h` */
export function spanOf(from: string, to: string): string {
  const seconds = Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return spanText(seconds);
}

/** `14:05 UTC`, with all of it in the tooltip */
export function clockOf(at: string): Html {
  return timeOf(at, `${at.slice(11, 16)} UTC`);
}

/** `Sunday, 22 November 2026`; of this day and the one before also by name. */
export function dayOf(at: string, now: Date): string {
  const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeZone: "UTC" }).format(new Date(at));
  const days = (time: number) => Math.floor(time / 86_400_000);
  const since = days(now.getTime()) - days(Date.parse(at));
  return since === 0 ? `Today, ${day}` : since === 1 ? `Yesterday, ${day}` : day;
}

function timeOf(at: string, text: string): Html {
  return html`<time datetime="${at}" title="${at}">${text}</time>`;
}

function spanText(seconds: number): string {
  if (seconds < 90 * 60) return `${Math.max(1, Math.round(seconds / 60))} min`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
