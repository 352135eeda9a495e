/** Connecting GitLab from the pages: the way to its consent, and back. */
import type { Router } from "express";
import { plainError } from "../api/streams.ts";
import type { GitlabConnection, GitlabSetup } from "../gitlab-setup.ts";
import { type Html, html, safeHref } from "../html.ts";
import type { Session } from "../session.ts";
import type { Answering } from "./answering.ts";
import { postForm, submitButton } from "./forms.ts";
import { type Frame, layout } from "./layout.ts";
import { failedPage, refusedPage } from "./notices.ts";
import { allowForm, fieldOf, form } from "./posted.ts";

export interface GitlabPages extends Answering {
  readonly gitlab: GitlabSetup;
}

export function gitlabPages(pages: Router, { gitlab, frameOf, actor, send, doing }: GitlabPages): void {
  pages.get("/gitlab", async (request, response) => {
    const frame = await frameOf(request);
    if (!frame.session) return response.redirect(303, "/");
    const { done } = request.query;
    const connections = await gitlab.connections();
    const isKnown = connections.some(({ name }) => name === done);
    // Its forms lead on to the consent page.
    for (const { url } of connections) allowForm(response, url);
    const outcome = isKnown ? { outcome: { text: `GitLab is connected: forges.${String(done)}.` } } : {};
    const { redirectUri } = gitlab;
    send(
      response,
      200,
      gitlabPage({ connections, redirectUri, session: frame.session, frame: { ...frame, ...outcome } }),
    );
  });

  // No link: whoever is logged in there may have said yes before, and is not asked again.
  pages.post("/gitlab/connect", form, async (request, response) => {
    const session = actor(request);
    if (!session) return send(response, 403, refusedPage(await frameOf(request)));
    try {
      response.redirect(303, await gitlab.begin(fieldOf(request, "forge") ?? "", session));
    } catch (error) {
      send(response, 422, failedPage(plainError(error).message, await frameOf(request)));
    }
  });

  // GitLab leads here; what changes is guarded by the state, which only this session was given.
  pages.get("/gitlab/connected", async (request, response) => {
    const frame = await frameOf(request);
    const { session } = frame;
    const { code, state, error: refused } = request.query;
    if (session && typeof refused === "string") {
      return send(response, 422, failedPage("connecting GitLab: it was not allowed there; nothing has changed", frame));
    }
    if (!session || typeof code !== "string" || typeof state !== "string" || !/^[\w-]{1,200}$/.test(code)) {
      return send(response, 403, refusedPage(frame));
    }
    try {
      const what = { action: "connect-gitlab", detail: "an OAuth application was connected" };
      const { forge } = await doing.note(request, what, () => gitlab.finish({ code, state }, session));
      response.redirect(303, `/gitlab?${new URLSearchParams({ done: forge })}`);
    } catch (error) {
      send(response, 422, failedPage(plainError(error).message, frame));
    }
  });
}

function gitlabPage({
  connections,
  redirectUri,
  session,
  frame,
}: {
  readonly connections: readonly GitlabConnection[];
  readonly redirectUri: string;
  readonly session: Session;
  readonly frame: Frame;
}): Html {
  const live = html`<div class="head"><h1>GitLab</h1><p class="soft">Connected as an OAuth application, on behalf of whoever says yes</p></div>
${connections.length === 0 ? howTo(redirectUri) : connections.map((one) => card(one, { redirectUri, session }))}`;
  return layout({ title: "GitLab", frame, liveUrl: "", live });
}

function card(
  { name, url, isConnected }: GitlabConnection,
  { redirectUri, session }: { readonly redirectUri: string; readonly session: Session },
): Html {
  const [text, tone] = isConnected
    ? (["Connect anew", {}] as const)
    : (["Connect GitLab", { tone: "primary" }] as const);
  const body = submitButton({ name: "action", value: "connect", text, ...tone });
  return html`<div class="card"><div class="row"><h2>${name}</h2><span class="soft">${isConnected ? "Connected" : "Not connected yet"}</span></div>
<p>At <a href="${safeHref(url)}">${new URL(url).host}</a>. Notes and statuses are written as the account that says yes there: best one of its own, with the role Maintainer in the projects.</p>
<p class="soft">The application there needs the scope <code>api</code> and the redirect address <code>${redirectUri}</code>.</p>
${postForm({ to: "/gitlab/connect", session, label: `Connect ${name}`, fields: { forge: name }, body, leaves: true })}</div>`;
}

function howTo(redirectUri: string): Html {
  return html`<div class="card empty"><h2>No application yet</h2>
<p>In GitLab, under <b>Applications</b> of your account, a group or the server, add one: confidential, scope <code>api</code>, redirect address <code>${redirectUri}</code>.</p>
<p>Then name it in <code>stackling.yaml</code>, restart, and come back here:</p>
<pre class="output" tabindex="0" role="region" aria-label="Part of stackling.yaml">forges:
  gitlab:
    application:
      id: the application's id
      secret: { env: GITLAB_APPLICATION_SECRET }</pre></div>`;
}
