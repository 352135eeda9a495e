/** The repositories that get previews: where each is, what its preview.yaml says, and what is wrong with it. */
import type { Router } from "express";
import { type Html, html, safeHref } from "../html.ts";
import type { ApplicationFacts, RepositoryFacts } from "../repository-facts.ts";
import type { Answering } from "./answering.ts";
import { type Frame, layout } from "./layout.ts";
import { ago } from "./times.ts";

export interface RepositoriesPagesDeps extends Pick<Answering, "frameOf" | "send"> {
  readonly repositories: () => Promise<readonly RepositoryFacts[]>;
}

export function repositoriesPages(pages: Router, { repositories, frameOf, send }: RepositoriesPagesDeps): void {
  pages.get("/repositories", async (request, response) => {
    const frame = await frameOf(request);
    if (!frame.session) return response.redirect(303, "/");
    send(response, 200, repositoriesPage(await repositories(), frame));
  });
}

export function repositoriesPage(repositories: readonly RepositoryFacts[], frame: Frame): Html {
  const wrong = repositories.filter(({ problems }) => problems.length > 0).length;
  const live = html`<div class="head"><h1>Repositories</h1><p class="soft">${repositories.length} that get previews${
    wrong > 0 && html`, <b class="bad-text">${wrong} with a problem</b>`
  }</p></div>
${repositories.length === 0 && emptyCard()}
<ul class="cards">${repositories.map((repository) => cardOf(repository, frame.now))}</ul>`;
  return layout({ title: "Repositories", frame, liveUrl: "", live });
}

function emptyCard(): Html {
  return html`<div class="card empty"><h2>None yet</h2><p class="soft">List them under <code>repositories</code> in <code>stackling.yaml</code>, or say <code>stackling up PATH</code>.</p></div>`;
}

function cardOf(repository: RepositoryFacts, now: Date): Html {
  const { name, kind, forge, path, url, target, previews, lastDeliveryAt, application, problems } = repository;
  const isWrong = problems.length > 0;
  const facts: readonly (readonly [string, Html])[] = [
    ["Forge", html`${forge}${forge !== kind && html` <span class="soft">${kind}</span>`}`],
    ["Target", html`${target}`],
    ["Previews", html`<a href="/?repository=${encodeURIComponent(name)}">${previews}</a>`],
    [
      "Last webhook",
      lastDeliveryAt === undefined ? html`<span class="soft">none lately</span>` : ago(lastDeliveryAt, now),
    ],
  ];
  return html`<li class="card" id="repository-${name}"><div class="row"><h2>${name}</h2><span class="chip ${isWrong ? "bad" : "good"}"><span class="dot" aria-hidden="true"></span>${
    isWrong ? "Has a problem" : "Fine"
  }</span></div>
<p>${url === undefined ? html`<code>${path}</code>` : html`<a href="${safeHref(url)}">${path}</a>`}</p>
${isWrong && html`<ul class="problems bad-text">${problems.map((problem) => html`<li>${problem}</li>`)}</ul>`}
<dl class="facts">${facts.map(([title, value]) => html`<div><dt>${title}</dt><dd>${value}</dd></div>`)}</dl>
${application && applicationOf(application)}</li>`;
}

/** `preview.yaml` of the default branch, in short. */
function applicationOf(application: ApplicationFacts): Html {
  const { services, install, build, database, migrate, seed, flags, external, checks, secrets } = application;
  const commands = (list: readonly string[]) => html`${list.map((one) => html`<code>${one}</code> `)}`;
  const lines: readonly (readonly [string, Html] | false)[] = [
    [
      "Services",
      html`${services.map(({ name, kind, runs }) => html`<div><b>${name}</b> <span class="soft">${kind}</span> <code>${runs}</code></div>`)}`,
    ],
    install.length > 0 && ["Install", commands(install)],
    build.length > 0 && ["Build", commands(build)],
    [
      "Database",
      database
        ? html`${migrate ? html`migrated by <code>${migrate}</code>` : "yes"}${seed && html`, seeded by <code>${seed}</code>`}`
        : html`<span class="soft">none</span>`,
    ],
    checks > 0 && ["Checks", html`${checks} of smoke tests and gates`],
    flags.length > 0 && ["Flags", html`${flags.join(", ")}`],
    external.length > 0 && ["Services of others", html`${external.join(", ")}`],
    secrets.length > 0 && ["Secrets asked for", commands(secrets)],
  ];
  return html`<details class="receipt"><summary>What <code>preview.yaml</code> says</summary><dl class="pairs">${lines
    .filter((line) => line !== false)
    .map(([title, value]) => html`<div><dt>${title}</dt><dd>${value}</dd></div>`)}</dl></details>`;
}
