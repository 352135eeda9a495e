/** The pages: a list, one page per preview, login. Rendered here, made lively by one small script. */
import { isDeepStrictEqual } from "node:util";
import express, { type Request, type RequestHandler, type Response, type Router } from "express";
import { parseKey } from "../../infra/names.ts";
import { detailHref } from "../addresses.ts";
import { callerIn, callerOf, endWithRight, type Visitors } from "../api/access.ts";
import { createDoing, type DoingDeps } from "../api/doing.ts";
import type { EndsReader } from "../api/preview-ends.ts";
import { type PreviewView, previewView, type ViewExtras } from "../api/preview-view.ts";
import { plainError, type Streams } from "../api/streams.ts";
import type { Audit } from "../audit.ts";
import type { ExternalServices } from "../external/services.ts";
import type { Share } from "../gateway/access/share.ts";
import type { GithubSetup } from "../github-setup.ts";
import type { GitlabSetup } from "../gitlab-setup.ts";
import type { Html } from "../html.ts";
import type { ReadKpis } from "../kpis/kpis.ts";
import type { PageLogin } from "../login/login.ts";
import type { Operate } from "../operate.ts";
import { type Caller, may } from "../roles.ts";
import type { Preview } from "../status.ts";
import type { Store } from "../store/store.ts";
import type { Tokens } from "../tokens/token.ts";
import type { Trends } from "../trends/trends.ts";
import type { Answering } from "./answering.ts";
import { appearanceOf, appearancePages, ownPath } from "./appearance.ts";
import { approvalDone, approvalPages } from "./approval.ts";
import { assetPages } from "./assets.ts";
import { auditPages } from "./audit-page.ts";
import { choicePages } from "./choice.ts";
import { type CostPagesDeps, costPages } from "./costs-page.ts";
import { type DetailDeps, detailPages } from "./detail-routes.ts";
import { type DoctorPagesDeps, doctorPages } from "./doctor-page.ts";
import { comparisonDone, driftPages } from "./drift-section.ts";
import { flagDone, flagPages } from "./flag-section.ts";
import { githubPages } from "./github-routes.ts";
import { gitlabPages } from "./gitlab-routes.ts";
import { kpiPages } from "./kpis-page.ts";
import type { Frame, Outcome } from "./layout.ts";
import { listPages } from "./list-routes.ts";
import { failedPage, missingPage, nowherePage, questionPage, refusedPage } from "./notices.ts";
import { operatePages } from "./operate-routes.ts";
import { findSwitch, SWITCHES } from "./pause-section.ts";
import { actorOf, fieldOf, form, isConfirmed, sessionOf } from "./posted.ts";
import { type RepositoriesPagesDeps, repositoriesPages } from "./repositories-page.ts";
import { rollbackChoice, rollbackDone } from "./rollback-section.ts";
import { guardOf } from "./rules.ts";
import { seedChoice, seedDone } from "./seed-section.ts";
import { servicesPage } from "./services-page.ts";
import { loginHref, sessionPages } from "./session-routes.ts";
import { sharePages } from "./share-section.ts";
import { promotionDone, stagePages } from "./stage-section.ts";
import { tokenPages } from "./tokens-page.ts";
import { trendsPages } from "./trends-page.ts";
import { findVerb } from "./verbs.ts";

export interface DashboardDeps extends DoingDeps, Omit<DetailDeps, "store" | "audit"> {
  readonly store: Pick<Store, "list" | "current" | "find" | "findByStack" | "history" | "receipts">;
  readonly visitors: Pick<Visitors, "of" | "again">;
  readonly operate: Operate;
  readonly trends: Trends;
  readonly costs: CostPagesDeps["costs"];
  readonly budgets: CostPagesDeps["budgets"];
  readonly kpis: ReadKpis;
  readonly external: Pick<ExternalServices, "read">;
  readonly repositories: RepositoriesPagesDeps["repositories"];
  readonly doctor: DoctorPagesDeps["doctor"];
  readonly streams: Streams;
  readonly extras: (preview: Preview) => Promise<ViewExtras>;
  readonly ends: EndsReader;
  readonly share: Share;
  readonly github: GithubSetup;
  readonly gitlab: GitlabSetup;
  readonly audit: Audit;
  readonly tokens: Tokens;
  readonly login?: PageLogin;
  readonly onError: (error: unknown) => void;
  readonly homeUrl: string;
  readonly fallbackUrl?: string;
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");
/** Of what has a form of its own. */
const OUTCOMES = {
  approve: { done: approvalDone, bringsUp: true },
  compare: { done: comparisonDone, bringsUp: false },
  flag: { done: flagDone, bringsUp: true },
  seed: { done: seedDone, bringsUp: true },
  rollback: { done: rollbackDone, bringsUp: true },
  promote: { done: promotionDone, bringsUp: true },
} as const;

export function createDashboard(deps: DashboardDeps): Router {
  const answering: Answering = {
    frameOf: (request) => frameOf(deps, request),
    actor: (request) => actorOf(deps, request),
    doing: createDoing(deps),
    send,
  };
  const pages = express.Router();
  listPages(pages, {
    ...deps,
    ...answering,
    named: (request) => named(deps, request),
    outcomeOf: (request, frame) => outcomeOf(deps, request, frame),
  });
  detailPages(pages, {
    ...deps,
    ...answering,
    named: (request) => named(deps, request),
    wholeOf: (preview) => wholeOf(deps, preview),
    doneOf,
  });
  pages.post("/previews/:key/actions", form, (request, response) => doVerb(deps, answering, request, response));
  approvalPages(pages, {
    viewOf: async (request) => {
      const preview = await named(deps, request);
      return preview && previewView(preview);
    },
    ...answering,
  });
  const onOne = { named: (request: Request) => named(deps, request), ...answering };
  flagPages(pages, onOne);
  driftPages(pages, { actions: deps.actions, ...onOne });
  stagePages(pages, onOne);
  for (const choice of [seedChoice, rollbackChoice]) choicePages(pages, choice, onOne);
  operatePages(pages, { operate: deps.operate, ...answering });
  pages.get("/services", async (request, response) => {
    const frame = await frameOf(deps, request);
    if (!frame.session) return response.redirect(303, "/");
    send(response, 200, servicesPage(await deps.external.read(), frame));
  });
  repositoriesPages(pages, { ...deps, ...answering });
  doctorPages(pages, { ...deps, ...answering });
  githubPages(pages, { github: deps.github, ...answering });
  gitlabPages(pages, { gitlab: deps.gitlab, ...answering });
  sharePages(pages, { share: deps.share, named: (request) => named(deps, request), ...answering });
  pages.get("/live", async (request, response) => {
    const { key, seen } = request.query;
    const since = request.headers["last-event-id"] ?? seen;
    const session = sessionOf(deps, request);
    const { repositories } = session ?? {};
    const before = callerOf(deps, request);
    endWithRight(response, async () => seeTheSame(before, callerIn(await deps.visitors.again(request))));
    await deps.streams.keys(response, {
      isStranger: session === undefined,
      ...(typeof key === "string" ? { key } : {}),
      ...(repositories ? { wanted: (one) => repositories.includes(parseKey(one)?.repository ?? "") } : {}),
      ...(typeof since === "string" ? { since } : {}),
    });
  });
  appearancePages(pages);
  trendsPages(pages, { trends: deps.trends, costs: deps.costs, ...answering });
  costPages(pages, { costs: deps.costs, budgets: deps.budgets, ...answering });
  kpiPages(pages, { ...deps, ...answering });
  auditPages(pages, { audit: deps.audit, ...answering });
  tokenPages(pages, { tokens: deps.tokens, ...answering });
  sessionPages(pages, deps, answering);
  const guard = guardOf(pages, {
    sessionOf: (request) => sessionOf(deps, request),
    named: (request) => named(deps, request),
    ...(deps.login ? { loginHref: (backTo, request) => loginHref(deps, backTo, request) } : {}),
    ...answering,
  });
  return express.Router().use(assetPages(harden), hardened, guard, pages, async (request, response, next) => {
    if (request.method === "GET" && request.accepts(["text", "html"]) === "html")
      send(response, 404, nowherePage(await frameOf(deps, request)));
    else next();
  });
}

const hardened: RequestHandler = (_request, response, next) => {
  harden(response);
  response.setHeader("Cache-Control", "no-store");
  next();
};

/** Asks first where something is lost; then the wish is stored, and the page it came from says so. */
async function doVerb(deps: DashboardDeps, { doing }: Answering, request: Request, response: Response): Promise<void> {
  const [frame, session] = [await frameOf(deps, request), actorOf(deps, request)];
  if (!session) return send(response, 403, refusedPage(frame));
  const preview = await named(deps, request);
  if (!preview) return send(response, 404, missingPage(frame));
  const found = findVerb(fieldOf(request, "action"));
  if (!found) return send(response, 400, refusedPage(frame));
  const { key } = preview;
  const { name, verb } = found;
  const from = fieldOf(request, "from") === "list" ? "list" : "detail";
  const back = from === "list" ? ownPath(fieldOf(request, "back")) : detailHref(key);
  if (verb.question && !isConfirmed(request)) {
    const [question, fields] = [verb.question(key), { action: name, from, back }];
    const to = `${detailHref(key)}/actions`;
    return send(response, 200, questionPage({ question, text: verb.text, to, session, fields, backTo: back, frame }));
  }
  try {
    // The question was asked and answered.
    await doing.act(request, key, name === "down" ? { action: "down", confirm: true } : verb.wish);
  } catch (error) {
    return send(response, 422, failedPage(plainError(error).message, frame));
  }
  const done = new URLSearchParams({ done: name, ...(from === "list" ? { of: key } : {}) });
  response.redirect(303, `${back}${back.includes("?") ? "&" : "?"}${done}`);
}

async function wholeOf({ ends, extras }: DashboardDeps, preview: Preview): Promise<ViewExtras> {
  return { ends: (await ends())(preview), ...(await extras(preview)) };
}

async function frameOf(deps: DashboardDeps, request: Request): Promise<Frame> {
  const { fallbackUrl } = deps;
  // Before anything is read, so that no change falls between the page and its stream.
  const seen = deps.streams.seen();
  return {
    session: sessionOf(deps, request),
    pause: await deps.operate.pause(),
    fallbackUrl,
    now: new Date(),
    path: request.path,
    search: searchOf(request),
    appearance: appearanceOf(request),
    seen,
  };
}

/** Without what was just done. */
function searchOf({ originalUrl }: Request): string {
  const asked = new URLSearchParams(originalUrl.split("?")[1] ?? "");
  for (const name of ["done", "of"]) asked.delete(name);
  return asked.size === 0 ? "" : `?${asked}`;
}

/** What the address of the list says was done, in our own words. */
async function outcomeOf({ store }: DashboardDeps, request: Request, frame: Frame): Promise<Outcome | undefined> {
  const { done, of } = request.query;
  if (!frame.session || typeof done !== "string") return undefined;
  const name = findSwitch(done);
  if (name) return { text: SWITCHES[name].done };
  const preview = typeof of === "string" ? await store.find(of) : undefined;
  if (!preview || !may(frame.session, "look", preview.repository)) return undefined;
  return doneOf(request, previewView(preview), frame);
}

function doneOf(request: Request, view: PreviewView, { pause }: Pick<Frame, "pause">): Outcome | undefined {
  const { done } = request.query;
  if (typeof done !== "string") return undefined;
  const found = isOutcome(done) ? OUTCOMES[done] : findVerb(done)?.verb;
  if (!found) return undefined;
  const text = found.done(view);
  return { text: pause && found.bringsUp ? `${text} Everything is stopped: it waits until all go on.` : text };
}

function isOutcome(done: string): done is keyof typeof OUTCOMES {
  return Object.hasOwn(OUTCOMES, done);
}

async function named({ store }: DashboardDeps, request: Request): Promise<Preview | undefined> {
  const key = String(request.params.key);
  return (await store.find(key)) ?? (await store.findByStack(key));
}

function seeTheSame(before: Caller | undefined, now: Caller | undefined): boolean {
  return !before === !now && isDeepStrictEqual(before?.repositories, now?.repositories);
}

function harden(response: { setHeader(name: string, value: string): unknown }): void {
  response.setHeader("Content-Security-Policy", POLICY);
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("X-Robots-Tag", "noindex, nofollow");
  response.setHeader("Referrer-Policy", "same-origin");
  response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
  response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
}

function send(response: Response, status: number, page: Html): void {
  response.status(status).type("html").send(page.markup);
}
