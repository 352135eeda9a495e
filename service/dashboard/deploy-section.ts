/** The last deployments of a preview: why each was made, how far it came, and what was said meanwhile. */
import { detailHref } from "../addresses.ts";
import type { PreviewView } from "../api/preview-view.ts";
import type { Deployment, DeployStep } from "../deployments/deployment.ts";
import { STAGE_TITLES } from "../deployments/words.ts";
import { type Html, html, sentenceOf } from "../html.ts";
import { commitLink } from "./commit-link.ts";
import { ago, spanOf } from "./times.ts";

export interface DeploySection {
  readonly view: Pick<PreviewView, "key" | "stage">;
  /** As the forge gave it, with `{sha}`. */
  readonly commitUrl?: string;
  /** Newest first. */
  readonly deployments: readonly Deployment[];
  /** The one whose log is shown; the newest where none is named. */
  readonly chosen?: string;
  readonly now: Date;
}

export function deploySection({ view, commitUrl, deployments, chosen, now }: DeploySection): Html {
  const shown = deployments.find(({ id }) => id === chosen) ?? deployments[0];
  if (!shown) {
    return html`<section class="card" id="deployments"><h2>Deployments</h2><p class="soft">${view.stage === "Gone" ? "None is kept." : "None yet. What happens while it is built appears here."}</p></section>`;
  }
  return html`<section class="card" id="deployments"><div class="row"><h2>Deployments</h2>${deployments.length > 1 && html`<span class="soft">the last ${deployments.length}</span>`}</div>
<ol class="deployments">${deployments.map((one) => deploymentRow(one, { key: view.key, commitUrl, shown, now }))}</ol>
${stepsOf(shown, now)}
${logOf(view.key, shown)}</section>`;
}

interface Shown {
  readonly key: string;
  readonly commitUrl: string | undefined;
  readonly shown: Deployment;
  readonly now: Date;
}

function deploymentRow(deployment: Deployment, { key, commitUrl, shown, now }: Shown): Html {
  const { id, cause, commit, at, endedAt, outcome, message } = deployment;
  const { text, tone } = OUTCOMES[outcome];
  const isShown = id === shown.id;
  const took = spanOf(at, endedAt ?? now.toISOString());
  return html`<li${isShown && html` aria-current="true"`}><span class="chip ${tone}"><span class="dot" aria-hidden="true"></span>${text}</span>
<div><a href="${detailHref(key)}?deployment=${id}#deployments"${isShown && html` aria-current="true"`}>${cause}</a>
<p class="meta soft">${commit && html`<span>${commitLink(commitUrl, commit)}</span>`}<span>${ago(at, now)}</span><span>${endedAt ? `took ${took}` : `for ${took}`}</span></p>
${outcome === "failed" && message && html`<p class="bad-text">${sentenceOf(message)}</p>`}</div></li>`;
}

const OUTCOMES: Readonly<Record<Deployment["outcome"], { readonly text: string; readonly tone: string }>> = {
  running: { text: "Running", tone: "busy" },
  done: { text: "Done", tone: "good" },
  failed: { text: "Failed", tone: "bad" },
  interrupted: { text: "Broken off", tone: "still" },
};

/** Each stage with how long it took; several go on at once. */
function stepsOf({ steps, outcome }: Deployment, now: Date): Html {
  if (steps.length === 0) return html``;
  return html`<ol class="stages" aria-label="Stages">${steps.map((step) => stageOf(step, outcome, now))}</ol>`;
}

function stageOf(step: DeployStep, outcome: Deployment["outcome"], now: Date): Html {
  const { stage, at, endedAt, failed } = step;
  const goesOn = endedAt === undefined && outcome === "running";
  const state = failed ? "failed" : goesOn ? "running" : "done";
  const sign = { failed: "✕", running: "…", done: "✓" }[state];
  return html`<li class="${state}"><span class="sign" aria-hidden="true">${sign}</span><span>${STAGE_TITLES[stage]}</span><span class="soft">${
    failed ? "failed, " : ""
  }${spanOf(at, endedAt ?? now.toISOString())}</span></li>`;
}

/** Filled and followed by a script; what was put in stays while the page around it changes. */
function logOf(key: string, { id, at, outcome }: Deployment): Html {
  const source = `/api/v1/previews/${encodeURIComponent(key)}/deployments/${id}/log`;
  return html`<div class="log" id="deploy-log" data-src="${source}" data-began="${at}"${outcome === "running" && html` data-follows`}>
<div class="row"><h3>Log</h3><p class="actions small"><label><input type="checkbox" data-follow checked> Follow</label><a href="${detailHref(key)}/deployments/${id}.txt">As text</a></p></div>
<pre class="output lines" id="deploy-log-${id}" data-keeps tabindex="0" role="log" aria-live="off" aria-label="Log of the deployment"></pre>
<noscript><p><a href="${detailHref(key)}/deployments/${id}.txt">Show the log</a></p></noscript></div>`;
}
