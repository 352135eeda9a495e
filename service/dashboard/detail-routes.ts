/** The page of one preview, and a deployment's log as text. */
import type { Request, Router } from "express";
import type { StackResource } from "../../infra/stack-resources.ts";
import { type PreviewView, previewView, type ViewExtras } from "../api/preview-view.ts";
import { write } from "../api/streams.ts";
import type { Audit } from "../audit.ts";
import type { Deployments } from "../deployments/deployments.ts";
import { whenLeft } from "../leaving.ts";
import type { Costs } from "../money/costs.ts";
import { may } from "../roles.ts";
import type { Preview } from "../status.ts";
import type { Store } from "../store/store.ts";
import type { Answering } from "./answering.ts";
import { costStory } from "./cost-section.ts";
import { detailPage, type Story } from "./detail-page.ts";
import type { Frame, Outcome } from "./layout.ts";
import { missingPage } from "./notices.ts";
import { timelineOf } from "./timeline.ts";
import { readKind } from "./timeline-section.ts";

export interface DetailDeps {
  readonly store: Pick<Store, "history" | "receipts">;
  readonly audit: Pick<Audit, "list">;
  readonly deployments: Pick<Deployments, "deployments" | "deployment" | "lines">;
  readonly costs: Pick<Costs, "sums" | "now">;
  /** Undefined while they are being read. */
  readonly resources: (preview: Preview) => Promise<readonly StackResource[] | undefined>;
}

export interface DetailPagesDeps extends DetailDeps, Pick<Answering, "frameOf" | "send"> {
  /** Undefined for a key that there is not. */
  readonly named: (request: Request) => Promise<Preview | undefined>;
  readonly wholeOf: (preview: Preview) => Promise<ViewExtras>;
  /** What came of what the page was asked. */
  readonly doneOf: (request: Request, view: PreviewView, frame: Frame) => Outcome | undefined;
}

const HISTORY_SHOWN = 100;
const AUDIT_SHOWN = 100;

export function detailPages(pages: Router, deps: DetailPagesDeps): void {
  const { frameOf, named, send, deployments } = deps;
  pages.get("/previews/:key", async (request, response) => {
    const [frame, preview] = [await frameOf(request), await named(request)];
    if (!preview) return send(response, 404, missingPage(frame));
    const { session } = frame;
    if (!session || !may(session, "look", preview.repository)) {
      return send(response, 200, detailPage({ view: previewView(preview), frame }));
    }
    const [extras, story] = await Promise.all([deps.wholeOf(preview), storyOf(deps, preview, request)]);
    const view = previewView(preview, extras);
    const outcome = deps.doneOf(request, view, frame);
    send(response, 200, detailPage({ view, story, frame: { ...frame, ...(outcome ? { outcome } : {}) } }));
  });
  pages.get("/previews/:key/deployments/:id.txt", async (request, response) => {
    const [frame, preview] = [await frameOf(request), await named(request)];
    const mayLook = preview && may(frame.session, "look", preview.repository);
    const id = String(request.params.id);
    if (!mayLook || !(await deployments.deployment(preview.key, id))) return send(response, 404, missingPage(frame));
    const signal = whenLeft(response);
    response.type("text/plain; charset=utf-8");
    let last = 0;
    for await (const line of deployments.lines(preview.key, id, { after: 0, follow: false, signal })) {
      const gap = line.n === last + 1 ? "" : `… ${line.n - last - 1} lines left out …\n`;
      last = line.n;
      const text = `${gap}${line.at} ${line.source === undefined ? "" : `[${line.source}] `}${line.text}\n`;
      if (!(await write(response, text))) return;
    }
    response.end();
  });
}

async function storyOf(deps: DetailPagesDeps, preview: Preview, request: Request): Promise<Story> {
  const { key, status, pullRequest } = preview;
  const [history, { entries: audit }, deployments, receipts, resources, cost] = await Promise.all([
    deps.store.history(key, HISTORY_SHOWN),
    deps.audit.list({ key, limit: AUDIT_SHOWN }),
    deps.deployments.deployments(key),
    deps.store.receipts(key),
    deps.resources(preview),
    costStory(deps.costs, key),
  ]);
  const { deployment, events, service } = request.query;
  const kind = readKind(events);
  const { spec: _large, ...outputs } = status.outputs;
  return {
    events: timelineOf({ history, audit, deployments, receipts }),
    deployments,
    receipts,
    resources,
    outputs,
    cost,
    ...(status.live ? { live: status.live } : {}),
    ...(pullRequest?.commitUrl === undefined ? {} : { commitUrl: pullRequest.commitUrl }),
    chosen: {
      ...(typeof deployment === "string" ? { deployment } : {}),
      ...(kind ? { kind } : {}),
      ...(typeof service === "string" ? { service } : {}),
    },
  };
}
