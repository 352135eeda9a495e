/** All of one preview: how it is at the head, then a section for each thing one may want to know of it. */
import { isStage } from "../../infra/names.ts";
import type { PreviewSpec } from "../../infra/spec.ts";
import type { StackResource } from "../../infra/stack-resources.ts";
import { furtherLinks, type PreviewView } from "../api/preview-view.ts";
import { givenWords } from "../approval.ts";
import { commentText } from "../comment/comment.ts";
import type { Deployment } from "../deployments/deployment.ts";
import { qrPicture } from "../gateway/banner/qr.ts";
import { type Html, html, safeHref, sentenceOf } from "../html.ts";
import { may } from "../roles.ts";
import { rollbackWords } from "../rollback.ts";
import type { Session } from "../session.ts";
import type { Receipt } from "../status.ts";
import { alarmBanner } from "./alarm-section.ts";
import { approvalSection } from "./approval.ts";
import { checksSection } from "./checks-section.ts";
import { commitLink } from "./commit-link.ts";
import { type CostStory, costSection } from "./cost-section.ts";
import { databaseSection } from "./database-section.ts";
import { deploySection } from "./deploy-section.ts";
import { flagSection } from "./flag-section.ts";
import { verbForm } from "./forms.ts";
import { chip, type Frame, layout } from "./layout.ts";
import { lifeSection, warningOf } from "./life-section.ts";
import { linkedWords, linkProblems } from "./linked-words.ts";
import { bare, excerptOf, loginHint } from "./list-page.ts";
import { logSection } from "./log-section.ts";
import { outsideSection } from "./outside-section.ts";
import { receiptsSection } from "./receipts-section.ts";
import { resourcesSection } from "./resources-section.ts";
import { rollbackForm } from "./rollback-section.ts";
import { shareForm } from "./share-section.ts";
import { stageSection } from "./stage-section.ts";
import type { EventKind, TimelineEvent } from "./timeline.ts";
import { timelineSection } from "./timeline-section.ts";

/** What only those who may look at it are shown. */
export interface Story {
  readonly events: readonly TimelineEvent[];
  readonly deployments: readonly Deployment[];
  readonly receipts: readonly Receipt[];
  readonly resources: readonly StackResource[] | undefined;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly cost: CostStory;
  /** What serves. */
  readonly live?: PreviewSpec;
  /** As the forge gave it, with `{sha}`. */
  readonly commitUrl?: string;
  /** What the address asks for. */
  readonly chosen: { readonly deployment?: string; readonly kind?: EventKind; readonly service?: string };
}

export interface DetailPage {
  readonly view: PreviewView;
  /** Undefined: name, links and condition only. */
  readonly story?: Story;
  readonly frame: Frame;
}

export function detailPage({ view, story, frame }: DetailPage): Html {
  const { session } = frame;
  const body = session && story ? wholeOf(view, story, { session, frame }) : loginHint();
  return layout({
    title: view.key,
    frame,
    liveUrl: `/live?key=${encodeURIComponent(view.key)}`,
    live: html`${headOf(view, frame, story?.commitUrl)}${body}`,
  });
}

function headOf(view: PreviewView, { session, fallbackUrl }: Frame, commitUrl: string | undefined): Html {
  const { key, condition, reason, title, message, excerpt, stage, url, commit, headSha, author, gitBranch } = view;
  const qr = url ? qrPicture(url) : html``;
  const behind = headSha !== undefined && headSha !== commit;
  return html`<p class="crumb"><a href="/">Previews</a></p>
<div class="about-head"><div><div class="row"><h1>${key}</h1>${chip(condition, reason)}</div>
${session && title && html`<p class="title">${title}</p>`}
${session && html`<p class="message" role="status">${sentenceOf(message)}</p>`}
${session && excerptOf(excerpt)}
${session && linkProblems(view)}
${stage === "Gone" && fallbackUrl && html`<p>Meanwhile: <a href="${safeHref(fallbackUrl)}">${fallbackUrl}</a></p>`}
${linksOf(view)}
${
  session &&
  html`<p class="meta soft">${commit && html`<span>serves ${commitLink(commitUrl, commit)}</span>`}${behind && html`<span>newest commit ${commitLink(commitUrl, headSha)}</span>`}${linkedWords(view)}${gitBranch !== "" && html`<span>branch <code>${gitBranch}</code></span>`}${!isStage(key) && html`<span>${author ? html`by ${author}` : "by hand"}</span>`}</p>`
}</div>${session && qr.markup !== "" && html`<figure class="phone">${qr}<figcaption class="soft">On a phone</figcaption></figure>`}</div>`;
}

function linksOf(view: PreviewView): Html {
  const { url, pullRequestUrl, stage } = view;
  if (stage === "Gone" && !pullRequestUrl) return html``;
  return html`<p class="actions">
${url ? html`<a class="button primary" href="${safeHref(url)}">Open ${bare(url)}</a>` : stage !== "Gone" && html`<span class="soft">No link yet</span>`}
${furtherLinks(view).map(([name, other]) => html`<a class="button" href="${safeHref(other)}">${name}</a>`)}
${pullRequestUrl && html`<a class="button" href="${safeHref(pullRequestUrl)}">Pull request</a>`}
</p>`;
}

function wholeOf(
  view: PreviewView,
  story: Story,
  { session, frame }: { readonly session: Session; readonly frame: Frame },
): Html {
  const { now } = frame;
  const { deployments, events, receipts, resources, outputs, live, commitUrl, chosen } = story;
  const acting = may(session, "operate", view.repository) ? { session } : {};
  const gone = view.stage === "Gone";
  const commits = commitUrl === undefined ? {} : { commitUrl };
  const services = live?.services.map(({ name }) => name) ?? [];
  const sections: readonly (readonly [id: string, name: string, Html])[] = [
    ["promotion", "Promotion", stageSection(view, acting.session)],
    ["actions", "Actions", actionsOf(view, acting.session)],
    [
      "deployments",
      "Deployments",
      deploySection({
        view,
        deployments,
        now,
        ...commits,
        ...(chosen.deployment ? { chosen: chosen.deployment } : {}),
      }),
    ],
    ["checks", "Checks", checksSection(view, commitUrl, now)],
    ["life", "Life", lifeSection(view, now)],
    ["cost", "Cost", costSection(view, story.cost)],
    [
      "timeline",
      "Timeline",
      timelineSection({ key: view.key, events, now, ...commits, ...(chosen.kind ? { kind: chosen.kind } : {}) }),
    ],
    ["database", "Database", databaseSection({ view, live, now, ...acting })],
    ["flags", "Flags", acting.session ? flagSection(view, acting.session) : html``],
    ["outside", "Services", outsideSection(view)],
    ["resources", "Resources", resourcesSection({ view, resources, outputs, now, ...acting })],
    ["receipts", "Receipts", receiptsSection(receipts, now)],
    [
      "logs",
      "Log",
      gone || (!live && deployments.length === 0)
        ? html``
        : logSection({ view, services, ...(chosen.service ? { chosen: chosen.service } : {}) }),
    ],
    ["comment", "Comment", commentOf(view)],
  ];
  const there = sections.filter(([, , section]) => section.markup !== "");
  return html`${acting.session && approvalSection(view, acting.session)}${alarmBanner(view)}${warningOf(view, now)}${rolledBackOf(view)}
<nav class="sections" aria-label="On this page"><ul>${there.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
${there.map(([, , section]) => section)}`;
}

function rolledBackOf({ rolledBack, promoted }: PreviewView): Html {
  if (!rolledBack) return html``;
  return html`<div class="banner warning"><p>${rollbackWords(rolledBack, { promoted }).replaceAll("`", "")}</p></div>`;
}

/** What may be asked of it, in groups; for who may only look, what else there is to know. */
function actionsOf(view: PreviewView, session: Session | undefined): Html {
  const { login, url, untrusted, approval } = view;
  const approved = approval && givenWords(approval);
  const forms = session
    ? [verbForm({ view, session, from: "detail" }), rollbackForm(view, session), shareForm(view, session)]
    : [];
  const facts: readonly (readonly [string, Html] | false | undefined)[] = [
    login && url !== undefined && ["Log in as", loginsOf(login, url)],
    untrusted && ["Not trusted", trustOf(untrusted)],
    approved !== undefined && ["Approved", html`<code>${approval?.sha.slice(0, 7)}</code> by ${approved}`],
  ];
  const shown = facts.filter((fact) => fact !== undefined && fact !== false);
  if (shown.length === 0 && forms.every(({ markup }) => markup === "")) return html``;
  return html`<section class="card" id="actions"><h2>Actions</h2>${forms}${
    shown.length > 0 &&
    html`<dl class="facts">${shown.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
  }</section>`;
}

function trustOf({ approved, isolated }: NonNullable<PreviewView["untrusted"]>): Html {
  const by = approved ? html`approved by ${approved.by}` : html`approved`;
  return html`${by}; without the operator's secrets${!isolated && "; not kept apart from the service's own files"}`;
}

function loginsOf({ users }: NonNullable<PreviewView["login"]>, url: string): Html {
  return html`${users.map(({ name, title }, index) => {
    const to = `${url}/.stackling/login?${new URLSearchParams({ as: name }).toString()}`;
    return html`${index > 0 && ", "}<a href="${safeHref(to)}">${title}</a>`;
  })}`;
}

function commentOf({ key, comment }: PreviewView): Html {
  if (!comment || isStage(key)) return html``;
  return html`<details class="card" id="comment"><summary><h2>Comment on the pull request</h2></summary><div class="output comment">${commentText(comment)}</div></details>`;
}
