/** What `stackling doctor` says of the service, on a page that keeps itself up to date. */
import type { Router } from "express";
import type { Finding } from "../../components/ports.ts";
import { type Html, html, sentenceOf } from "../html.ts";
import { within } from "../within.ts";
import type { Answering } from "./answering.ts";
import { type Frame, layout } from "./layout.ts";
import { ago } from "./times.ts";

/** A page waits no longer; what is asked later is there when it looks again. */
const PATIENCE_MS = 3_000;
/** Many who look at once ask once. */
const KEPT_MS = 15_000;

export interface DoctorPagesDeps extends Pick<Answering, "frameOf" | "send"> {
  readonly doctor: () => Promise<readonly Finding[]>;
}

export function doctorPages(pages: Router, { doctor, frameOf, send }: DoctorPagesDeps): void {
  let last: Asked | undefined;
  const ask = (): Asked => {
    const asked: Asked = { at: new Date(), findings: doctor().catch(() => [UNASKED]) };
    return asked;
  };
  pages.get("/doctor", async (request, response) => {
    const frame = await frameOf(request);
    if (!frame.session) return response.redirect(303, "/");
    if (!last || request.query.again === "1" || Date.now() - last.at.getTime() > KEPT_MS) last = ask();
    const { at } = last;
    const findings = await within(PATIENCE_MS, last.findings, undefined);
    send(response, 200, doctorPage({ at, findings, frame }));
  });
}

interface Asked {
  readonly at: Date;
  readonly findings: Promise<readonly Finding[]>;
}

const UNASKED: Finding = { ok: false, what: "the service could not be asked", remedy: "look into its log" };

export interface DoctorPage {
  readonly at: Date;
  /** Undefined while they are being asked for. */
  readonly findings: readonly Finding[] | undefined;
  readonly frame: Frame;
}

/** What is wrong first, each with the way out. */
export function doctorPage({ at, findings, frame }: DoctorPage): Html {
  const wrong = findings?.filter(({ ok }) => !ok) ?? [];
  const good = findings?.filter(({ ok }) => ok) ?? [];
  const often = findings === undefined ? "2s" : "60s";
  const live = html`<div class="head"><h1>Doctor</h1><p class="soft">${summaryOf(findings)}</p></div>
<p class="soft">Every part that can be asked is asked; what is wrong comes with the way out. On a terminal: <code>stackling doctor</code>, which looks at your machine too.</p>
<p class="actions"><a class="button" href="/doctor?again=1">Ask again</a></p>
<div id="findings" hx-get="/doctor" hx-select="#findings" hx-swap="outerHTML" hx-trigger="every ${often}">
<p class="soft">Asked ${ago(at.toISOString(), frame.now)}.</p>
${findings === undefined && html`<div class="card"><p>Some parts take long to answer. They are here when they have.</p></div>`}
${wrong.length > 0 && html`<section class="card" id="wrong"><h2>Not as it should be</h2><ul class="findings">${wrong.map(findingOf)}</ul></section>`}
${good.length > 0 && html`<section class="card" id="good"><h2>Fine</h2><ul class="findings">${good.map(findingOf)}</ul></section>`}</div>`;
  return layout({ title: "Doctor", frame, liveUrl: "", live });
}

function summaryOf(findings: readonly Finding[] | undefined): string {
  if (!findings) return "Being asked";
  const wrong = findings.filter(({ ok }) => !ok).length;
  return wrong === 0 ? "All is as it should be" : `${wrong} of ${findings.length} not as they should be`;
}

function findingOf({ ok, what, remedy }: Finding): Html {
  return html`<li><span class="mark ${ok ? "good" : "bad"}" aria-hidden="true"></span><div><p>${sentenceOf(what)}</p>${
    remedy && html`<p class="soft">${sentenceOf(remedy)}</p>`
  }</div></li>`;
}
