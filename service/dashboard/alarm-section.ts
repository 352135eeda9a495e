import { ALARM_AFTER } from "../alarm.ts";
import type { PreviewView } from "../api/preview-view.ts";
import { type Html, html } from "../html.ts";

/** One that will not go; nothing while it is tried for the first times. */
export function alarmBanner({ destroyFailures = 0, stage }: Pick<PreviewView, "destroyFailures" | "stage">): Html {
  if (destroyFailures < ALARM_AFTER || stage === "Gone") return html``;
  return html`<div class="banner warning"><p><b>Removing it failed ${destroyFailures} times.</b>
It is tried again for as long as it takes, at most an hour apart. Mend what the message names.</p></div>`;
}
