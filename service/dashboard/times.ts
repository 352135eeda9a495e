/** Times as a person says them; the exact one is in the tooltip and in `datetime`. */
import { minuteOf } from "../reason-words.ts";
import { type Html, html } from "./html.ts";

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

function timeOf(at: string, text: string): Html {
  return html`<time datetime="${at}" title="${at}">${text}</time>`;
}

function spanText(seconds: number): string {
  if (seconds < 90 * 60) return `${Math.max(1, Math.round(seconds / 60))} min`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
