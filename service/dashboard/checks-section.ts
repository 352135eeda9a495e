/** What smoke tests and gates said of a commit. */
import type { PreviewView } from "../api/preview-view.ts";
import { countWords } from "../gates/results.ts";
import { type Html, html } from "../html.ts";
import { commitLink } from "./commit-link.ts";
import { excerptOf } from "./list-page.ts";
import { ago } from "./times.ts";

type Checked = NonNullable<PreviewView["checks"]>;

export function checksSection({ checks, failedChecks }: PreviewView, commitUrl: string | undefined, now: Date): Html {
  const shown = failedChecks ?? checks;
  if (!shown || shown.results.length === 0) return html``;
  const where = failedChecks?.wentBackTo;
  return html`<section class="card" id="checks"><div class="row"><h2>Checks</h2><span class="soft">${countWords(shown)}, ${ago(shown.at, now)}, of ${commitLink(commitUrl, shown.commit)}</span></div>
${failedChecks && html`<p class="bad-text">${failedChecks.message}</p>`}
${where !== undefined && html`<p>It went back to ${commitLink(commitUrl, where)}.</p>`}
${failedChecks?.stays !== undefined && html`<p class="soft">It serves on: ${failedChecks.stays}.</p>`}
<ul class="checks">${shown.results.map(resultOf)}</ul></section>`;
}

function resultOf({ name, ok, required, text, excerpt, ms }: Checked["results"][number]): Html {
  const state = ok ? "done" : "failed";
  return html`<li class="${state}"><span class="sign" aria-hidden="true">${ok ? "✓" : "✕"}</span><div><b>${name}</b>: ${text} <span class="soft">in ${ms} ms${
    !required && ", not required"
  }</span>${!ok && excerptOf(excerpt ?? [])}</div></li>`;
}
