/** Making a GitHub App from the pages: the form that goes to GitHub, the way back, and what is to be done then. */
import type { Request, Response, Router } from "express";
import { plainError } from "../api/streams.ts";
import type { GithubForge, GithubSetup, SetupWish } from "../github-setup.ts";
import type { Session } from "../session.ts";
import type { Answering } from "./answering.ts";
import { installedPage, newAppPage } from "./github-page.ts";
import { failedPage, refusedPage } from "./notices.ts";
import { allowForm, fieldOf, form } from "./posted.ts";

export interface GithubPages extends Answering {
  readonly github: GithubSetup;
}

export function githubPages(pages: Router, deps: GithubPages): void {
  const { github, frameOf, actor, send } = deps;

  /** Answers with the form for one account; who follows a link gets it for nobody but themselves at the configured place. */
  const offer = async (request: Request, response: Response, session: Session, wish: SetupWish) => {
    const frame = await frameOf(request);
    try {
      const forge = forgeOf(github, wish.forge);
      const [ready, made] = [
        await github.begin({ ...wish, forge: forge.name }, session),
        await github.made(forge.name),
      ];
      allowForm(response, ready.server);
      send(response, 200, newAppPage({ form: ready, forge, forges: github.forges(), made, session, frame }));
    } catch (error) {
      send(response, 422, failedPage(plainError(error).message, frame));
    }
  };

  pages.get("/github/new", async (request, response) => {
    const { session } = await frameOf(request);
    if (!session) return response.redirect(303, "/");
    const { forge } = request.query;
    await offer(request, response, session, { forge: typeof forge === "string" ? forge : "" });
  });
  pages.post("/github/new", form, async (request, response) => {
    const session = actor(request);
    if (!session) return send(response, 403, refusedPage(await frameOf(request)));
    const [server, organization] = [typed(request, "server"), typed(request, "organization")];
    const more = { ...(server ? { server } : {}), ...(organization ? { organization } : {}) };
    await offer(request, response, session, { forge: fieldOf(request, "forge") ?? "", ...more });
  });

  // GitHub leads here; what changes is guarded by the state, which only this session was given.
  pages.get("/github/created", async (request, response) => {
    const frame = await frameOf(request);
    const { code, state } = request.query;
    const { session } = frame;
    if (!session || typeof code !== "string" || typeof state !== "string" || !/^[\w-]{1,200}$/.test(code)) {
      return send(response, 403, refusedPage(frame));
    }
    try {
      const what = { action: "connect-github", detail: "an App was made" };
      const { app } = await deps.doing.note(request, what, () => github.finish({ code, state }, session));
      response.redirect(303, `${app.htmlUrl}/installations/new`);
    } catch (error) {
      send(response, 422, failedPage(plainError(error).message, frame));
    }
  });

  // Leads on to what is missing; an installation's number in the address is not believed.
  pages.get("/github/installed", async (request, response) => {
    const frame = await frameOf(request);
    if (!frame.session) return response.redirect(303, "/");
    const shown = await Promise.all(
      github.forges().map(async (forge) => ({ forge, ...(await github.installed(forge)) })),
    );
    send(response, 200, installedPage({ shown, repositories: github.repositories, frame }));
  });
}

/** The first where none is named. */
function forgeOf(github: GithubSetup, name: string): Pick<GithubForge, "name"> & GithubForge {
  const all = github.forges();
  const found = name === "" ? all[0] : all.find((forge) => forge.name === name);
  // Whatever else is named is refused by name.
  return found ?? { name, usesManifest: false, isConfigured: false, readyEvent: false };
}

function typed(request: Request, name: string): string {
  return (fieldOf(request, name) ?? "").trim();
}
