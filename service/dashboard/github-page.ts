/** What is said while a GitHub App is made, and what is to be written into the config afterwards. */
import type { OperatorConfig } from "../config/types.ts";
import { APP_EVENTS, APP_PERMISSIONS, apiUrl, GITHUB } from "../forges/github-app.ts";
import type { MadeApp } from "../forges/github-app-made.ts";
import type { Installation } from "../forges/github-installed.ts";
import type { GithubForge, SetupForm } from "../github-setup.ts";
import { type Html, html, safeHref } from "../html.ts";
import type { Session } from "../session.ts";
import { postForm, submitButton } from "./forms.ts";
import { type Frame, layout } from "./layout.ts";

export interface NewAppPage {
  readonly form: SetupForm;
  readonly forge: GithubForge;
  readonly forges: readonly GithubForge[];
  readonly made: MadeApp | undefined;
  readonly session: Session;
  readonly frame: Frame;
}

export function newAppPage({ form, forge, forges, made, session, frame }: NewAppPage): Html {
  const host = new URL(form.server).host;
  const whose = form.organization ?? "your own account";
  const live = html`<div class="head"><h1>Connect GitHub</h1><p class="soft">One click makes a GitHub App with the rights, events and secret it needs.</p></div>
${forges.length > 1 && otherForges(forge, forges)}
${made && madeCard(made)}
${connectedOtherwise(forge)}
<div class="card"><h2>${made ? "Make another one in its place" : `A GitHub App in ${whose}`}</h2>
<p>At <b>${host}</b>, ${form.organization ? html`in <b>${form.organization}</b>` : "in your own account"}. GitHub asks for a name, shows the rights, and leads back here.</p>
${form.hasWebhook ? html`` : polling()}
<form class="actions" method="post" action="${form.action}" aria-label="Make a GitHub App">
<input type="hidden" name="manifest" value="${form.manifest}"><button class="primary">Create the GitHub App in ${whose}</button></form></div>
${otherAccount({ form, forge, session })}
${rights(forge)}`;
  return layout({ title: "Connect GitHub", frame, liveUrl: "", live });
}

/** Said here, by `doctor` and at the start. */
function polling(): Html {
  return html`<div class="banner warning"><p><b>Polling only:</b> GitHub cannot reach this address, so the App gets no webhook. Pushes and commands are seen within <code>lifecycle.resync</code> (60 s by default). With a public <code>url</code> in <code>stackling.yaml</code>, make it anew.</p></div>`;
}

function madeCard(made: MadeApp): Html {
  return html`<div class="card"><h2>${made.name || made.slug}</h2>
<p>Made${made.owner && html` in <b>${made.owner}</b>`}: <a href="${safeHref(made.htmlUrl)}">its page at GitHub</a>, <a href="${safeHref(`${made.htmlUrl}/installations/new`)}">install it on repositories</a>, <a href="/github/installed">what it sees</a>.</p></div>`;
}

function connectedOtherwise({ isConfigured, usesManifest, name }: GithubForge): Html {
  if (!isConfigured || usesManifest) return html``;
  return html`<div class="banner"><p>The config gives <code>forges.${name}</code> a credential of its own. An App that is made here is used once it says <code>app: manifest</code> instead.</p></div>`;
}

function otherForges(forge: GithubForge, forges: readonly GithubForge[]): Html {
  const others = forges.filter(({ name }) => name !== forge.name);
  return html`<p>For the forge <code>${forge.name}</code>. Others: ${others.map(
    ({ name }) => html`<a href="/github/new?forge=${encodeURIComponent(name)}">${name}</a> `,
  )}</p>`;
}

function otherAccount({ form, forge, session }: Pick<NewAppPage, "form" | "forge" | "session">): Html {
  const server = forge.server
    ? html``
    : html`<label class="field"><span>Server</span> <input name="server" type="url" value="${form.server}" required aria-describedby="whose"></label>`;
  const body = html`<label class="field"><span>Organisation</span> <input name="organization" value="${form.organization ?? ""}" maxlength="39" autocapitalize="none" spellcheck="false" placeholder="acme" aria-describedby="whose"></label>
${server}
${submitButton({ name: "action", value: "choose", text: "Choose" })}`;
  return html`<div class="card"><h2>Another account${forge.server ? "" : " or server"}</h2>
${postForm({ to: "/github/new", session, label: "Whose App it is to be", fields: { forge: forge.name }, body, leaves: true })}
<p id="whose" class="soft">Without an organisation it is made in your own account.${!forge.server && html` The server is ${GITHUB}, or your GitHub Enterprise Server.`}</p></div>`;
}

function rights({ readyEvent }: GithubForge): Html {
  const granted = { ...APP_PERMISSIONS, ...(readyEvent ? { contents: "write" } : {}) };
  const rows = Object.entries(granted).map(
    ([name, level]) => html`<tr><th scope="row">${name.replaceAll("_", " ")}</th><td>${level}</td></tr>`,
  );
  return html`<details class="card"><summary>What it may do and what it is told of</summary>
<table class="matrix"><thead><tr><th scope="col">Right</th><th scope="col">Level</th></tr></thead><tbody>${rows}</tbody></table>
<p class="soft">Events: ${APP_EVENTS.map((name) => html`<code>${name}</code> `)}. Its private key and secrets are kept encrypted in Stackling's store.</p></details>`;
}

export interface InstalledPage {
  readonly shown: readonly {
    readonly forge: GithubForge;
    readonly app?: MadeApp;
    readonly installations?: readonly Installation[];
    /** Why they are not known. */
    readonly fault?: string;
  }[];
  readonly repositories: OperatorConfig["repositories"];
  readonly frame: Frame;
}

export function installedPage({ shown, repositories, frame }: InstalledPage): Html {
  const live = html`<div class="head"><h1>GitHub</h1><p class="soft">Where the App is installed, and what is missing</p></div>
${shown.map((one) => forgeCard(one, repositories))}`;
  return layout({ title: "GitHub", frame, liveUrl: "", live });
}

function forgeCard(
  { forge, app, installations = [], fault }: InstalledPage["shown"][number],
  configured: OperatorConfig["repositories"],
): Html {
  const to = `/github/new?forge=${encodeURIComponent(forge.name)}`;
  if (!app) {
    const isOwn = forge.isConfigured && !forge.usesManifest;
    return html`<div class="card"><h2>${forge.name}</h2><p>${isOwn ? "The config gives it a credential of its own, and no" : "No"} App was made for it from these pages. <a href="${to}">Make one</a></p></div>`;
  }
  const own = new Set(configured.filter((one) => one.forge === forge.name).map(({ path }) => path.toLowerCase()));
  const all = [...new Set(installations.flatMap((one) => one.repositories))];
  const missing = all.filter((path) => !own.has(path.toLowerCase()));
  const unread = installations.some(({ repositories: some, total }) => total > some.length);
  const hook = app.webhookSecret
    ? "It gets webhooks."
    : html`<b>Polling only:</b> it was made without a webhook, for GitHub could not reach this address.`;
  return html`<div class="card"><h2>${app.name || app.slug}</h2>
<p>${hook} <a href="${safeHref(app.htmlUrl)}">Its page at GitHub</a>, <a href="${to}">make another one in its place</a></p>
${fault && html`<p class="bad-text">${fault}</p>`}
${
  all.length === 0
    ? html`<p>It sees no repository yet. <a href="${safeHref(`${app.htmlUrl}/installations/new`)}">Install it on repositories</a></p>`
    : html`<ul class="things">${all.map(
        (path) =>
          html`<li><code>${path}</code> ${own.has(path.toLowerCase()) ? html`<span class="soft">gets previews</span>` : html`<span class="soft">not in the config</span>`}</li>`,
      )}</ul>${unread && html`<p class="soft">And more, which are not listed here.</p>`}`
}
${forge.usesManifest && missing.length === 0 ? html`` : configLines(forge, app, missing)}</div>`;
}

function configLines(forge: GithubForge, app: MadeApp, missing: readonly string[]): Html {
  const base = app.server === GITHUB ? [] : [`    baseUrl: ${apiUrl(app.server)}`];
  const forges = forge.usesManifest ? [] : ["forges:", `  ${forge.name}:`, "    app: manifest", ...base];
  const lines = [
    ...forges,
    ...(missing.length > 0 ? ["repositories:", ...missing.map((path) => `  - path: ${path}`)] : []),
  ];
  return html`<h3>For <code>stackling.yaml</code></h3>
<pre tabindex="0">${lines.join("\n")}</pre>
<p class="soft">${forge.usesManifest ? "Add what is to get previews" : "Write this"}, and start Stackling again; the App itself needs no restart.</p>`;
}
