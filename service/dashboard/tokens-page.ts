/** Tokens for programs: what there is, making one, and revoking one. */
import type { Router } from "express";
import { z } from "zod";
import { pageQuery } from "../api/paging.ts";
import { tokenRequest } from "../api/routes/access.ts";
import { plainError } from "../api/streams.ts";
import { parseDuration } from "../config/duration.ts";
import { type Html, html } from "../html.ts";
import { minuteOf } from "../reason-words.ts";
import { ROLES } from "../roles.ts";
import type { Session } from "../session.ts";
import type { TokenPage, TokenRow, Tokens } from "../tokens/token.ts";
import type { Answering } from "./answering.ts";
import { copyButton } from "./copy-button.ts";
import { postForm, submitButton } from "./forms.ts";
import { type Frame, layout } from "./layout.ts";
import { failedPage, questionPage, refusedPage } from "./notices.ts";
import { fieldOf, form, isConfirmed } from "./posted.ts";
import { ago } from "./times.ts";

const SHOWN = 200;
const olderThan = z.object({ cursor: pageQuery.cursor });

export interface TokenPages extends Answering {
  readonly tokens: Tokens;
}

export function tokenPages(pages: Router, { tokens, doing, frameOf, actor, send }: TokenPages): void {
  pages.get("/tokens", async (request, response) => {
    const frame = await frameOf(request);
    const { session } = frame;
    if (!session) return response.redirect(303, "/");
    const { data } = olderThan.safeParse({ cursor: request.query.before });
    const before = data?.cursor === undefined ? {} : { before: data.cursor };
    const page = await tokens.list({ limit: SHOWN, ...before });
    const outcome = request.query.done === "revoked" ? { outcome: { text: "The token is revoked." } } : {};
    send(response, 200, tokensPage({ page, ...before, session, frame: { ...frame, ...outcome } }));
  });

  // The answer itself shows it, so that it stands in no history and is shown once.
  pages.post("/tokens", form, async (request, response) => {
    const [frame, session] = [await frameOf(request), actor(request)];
    if (!session) return send(response, 403, refusedPage(frame));
    const [name, role] = [fieldOf(request, "name"), fieldOf(request, "role")];
    const repositories = (fieldOf(request, "repositories") ?? "").split(/[\s,]+/).filter(Boolean);
    const expires = fieldOf(request, "expires")?.trim() ?? "";
    const seconds = expires === "" ? undefined : parseDuration(expires);
    if (expires !== "" && seconds === undefined)
      return send(response, 422, failedPage(`"${expires}" is no time such as 90d.`, frame));
    const more = {
      ...(repositories.length > 0 ? { repositories } : {}),
      ...(seconds === undefined ? {} : { seconds }),
    };
    const { data: wish, error } = tokenRequest.safeParse({ name, role, ...more });
    if (!wish) {
      const [issue] = error.issues;
      return send(
        response,
        422,
        failedPage(`${issue?.path.join(".") ?? "it"}: ${issue?.message ?? "is wrong"}.`, frame),
      );
    }
    const { seconds: life, ...rest } = wish;
    const expiresAt =
      life === undefined ? {} : { expiresAt: new Date(frame.now.getTime() + life * 1000).toISOString() };
    const detail = [`"${wish.name}"`, wish.role, ...repositories].join(" ");
    try {
      const made = await doing.note(request, { action: "token create", detail }, (by) =>
        tokens.create({ ...rest, ...expiresAt }, by),
      );
      send(response, 201, madePage(made, frame));
    } catch (problem) {
      send(response, 422, failedPage(plainError(problem).message, frame));
    }
  });

  pages.post("/tokens/:name/revoke", form, async (request, response) => {
    const [frame, session] = [await frameOf(request), actor(request)];
    if (!session) return send(response, 403, refusedPage(frame));
    const name = String(request.params.name);
    if (!isConfirmed(request)) {
      const asked = { question: questionOf(name), text: "Revoke", to: revokeHref(name), fields: {} };
      return send(response, 200, questionPage({ ...asked, session, backTo: "/tokens", frame }));
    }
    try {
      await doing.note(request, { action: "token revoke", detail: name }, () => tokens.revoke(name));
    } catch (problem) {
      return send(response, 422, failedPage(plainError(problem).message, frame));
    }
    response.redirect(303, "/tokens?done=revoked");
  });
}

interface Shown {
  readonly page: TokenPage;
  /** What is shown is older than that one. */
  readonly before?: string;
  readonly session: Session;
  readonly frame: Frame;
}

function tokensPage({ page: { tokens, next }, before, session, frame }: Shown): Html {
  const none =
    before === undefined
      ? html`<h2>No tokens yet</h2><p class="soft">The command line on this machine uses the instance's own.</p>`
      : html`<h2>No older tokens</h2><p class="soft"><a href="/tokens">Show the newest</a></p>`;
  const live = html`<div class="head"><h1>Tokens</h1><p class="soft">For programs that call the API</p></div>
${tokens.length === 0 ? html`<div class="card empty">${none}</div>` : tableOf(tokens, session, frame)}
${next && html`<nav aria-label="More tokens"><a class="button" href="/tokens?${String(new URLSearchParams({ before: next }))}" rel="next">Older</a></nav>`}
<section class="card"><h2>Make a token</h2>${newForm(session)}
<p class="soft">It is shown once; only a digest is kept.</p></section>`;
  return layout({ title: "Tokens", frame, liveUrl: "", live, wide: true });
}

function newForm(session: Session): Html {
  const body = html`<label class="field"><span>Name</span> <input name="name" required maxlength="40" autocomplete="off" placeholder="ci"></label>
<label class="field"><span>Role</span> <select name="role">${ROLES.map((role) => html`<option>${role}</option>`)}</select></label>
<label class="field"><span>Repositories</span> <input name="repositories" autocomplete="off" placeholder="all"></label>
<label class="field"><span>Expires after</span> <input name="expires" autocomplete="off" placeholder="90d; empty: never"></label>
<button class="primary">Make token</button>`;
  return postForm({ to: "/tokens", session, label: "New token", body, leaves: true });
}

function tableOf(tokens: readonly TokenRow[], session: Session, { now }: Frame): Html {
  return html`<div class="card wide" tabindex="0" role="region" aria-label="Tokens"><table class="matrix">
<thead><tr><th scope="col">Name</th><th scope="col">Role</th><th scope="col">Repositories</th><th scope="col">Made</th><th scope="col">Used</th><th scope="col">Ends</th><td></td></tr></thead>
<tbody>${tokens.map((token) => rowOf(token, session, now))}</tbody></table></div>`;
}

function rowOf(token: TokenRow, session: Session, now: Date): Html {
  const { name, role, repositories, createdAt, createdBy, lastUsedAt, expiresAt } = token;
  const isOver = expiresAt !== undefined && expiresAt <= now.toISOString();
  const text = "Revoke";
  const body = submitButton({
    name: "action",
    value: "revoke",
    text,
    label: `Revoke ${name}`,
    question: questionOf(name),
    tone: "danger",
  });
  return html`<tr><th scope="row">${name}</th><td>${role}</td><td>${repositories?.join(", ") ?? "all"}</td>
<td><time datetime="${createdAt}">${ago(createdAt, now)}</time> <span class="soft">by ${createdBy}</span></td>
<td>${lastUsedAt === undefined ? html`<span class="soft">never</span>` : ago(lastUsedAt, now)}</td>
<td>${expiresAt === undefined ? "when it is revoked" : isOver ? html`<b class="bad-text">is over</b>` : minuteOf(expiresAt)}</td>
<td>${postForm({ to: revokeHref(name), session, label: `Revoke ${name}`, body })}</td></tr>`;
}

function madePage({ token, row }: { readonly token: string; readonly row: TokenRow }, frame: Frame): Html {
  const live = html`<div class="card"><h1>Token ${row.name}</h1>
<p class="once"><code id="secret">${token}</code>${copyButton("secret")}</p>
<p class="soft">This is the only time that it is shown. Keep it where secrets are kept, and send it as <code>Authorization: Bearer …</code>.</p>
<p><a href="/tokens">All tokens</a></p></div>`;
  return layout({ title: `Token ${row.name}`, frame, liveUrl: "", live });
}

function questionOf(name: string): string {
  return `Revoke the token ${name}? Programs that use it are refused from then on.`;
}

function revokeHref(name: string): string {
  return `/tokens/${encodeURIComponent(name)}/revoke`;
}
