/** `/api/v1`: JSON for the CLI, other programs and our own pages. Every call needs the token or a session. */
import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Router } from "express";
import { z } from "zod";
import {
  ConfigError,
  ConflictError,
  RejectedDeliveryError,
  StacklingError,
  TerminalError,
} from "../../components/errors.ts";
import type { Finding } from "../../components/ports.ts";
import type { Baselines } from "../baselines/keeper.ts";
import type { EngineByHand } from "../engine-by-hand.ts";
import type { ExternalServices } from "../external/services.ts";
import type { Operate } from "../operate.ts";
import { sameSecret } from "../session.ts";
import type { Preview } from "../status.ts";
import type { Store } from "../store/store.ts";
import { isForeign, visitorOf } from "./access.ts";
import { actionRequest } from "./actions.ts";
import { baselineRoutes } from "./baselines.ts";
import { createDoing, type DoingDeps } from "./doing.ts";
import { operateRoutes } from "./operate.ts";
import type { EndsReader } from "./preview-ends.ts";
import { type PreviewView, previewView, type ViewExtras } from "./preview-view.ts";
import { type ShareRoutesDeps, shareRoutes } from "./share.ts";
import { type LogReader, plainError, type Streams } from "./streams.ts";

export interface ApiDeps extends DoingDeps, Pick<ShareRoutesDeps, "share"> {
  readonly store: Pick<Store, "list" | "find" | "findByStack" | "history" | "receipts" | "counters">;
  readonly operate: Operate;
  readonly logs: LogReader;
  readonly baselines?: Baselines;
  readonly streams: Streams;
  readonly doctor: () => Promise<readonly Finding[]>;
  readonly external: Pick<ExternalServices, "read">;
  /** The comment as it would stand on the pull request, and when it is looked at next. */
  readonly extras: (preview: Preview) => Promise<ViewExtras>;
  readonly ends: EndsReader;
  /** What goes with the right to run an engine by hand; nothing without it. */
  readonly engineByHand?: (preview: Preview) => Promise<EngineByHand>;
  readonly loginUrl: (code: string) => string;
  readonly onError: (error: unknown) => void;
}

const byHand = z
  .strictObject({
    repository: z.string().min(1).max(4096).optional(),
    path: z.string().min(1).max(4096).optional(),
    ref: z.string().min(1).max(1024).optional(),
  })
  .refine(({ repository, path }) => (repository === undefined) !== (path === undefined), {
    message: 'give either "repository" or "path"',
  });
const lookRequest = z.strictObject({ key: z.string().min(1).max(1024) });
const logQuery = z.object({
  tail: z.coerce.number().int().min(0).max(10_000).default(100),
  follow: z.enum(["0", "1", "true", "false"]).default("0"),
  service: z.string().max(64).optional(),
});

export function createApi(deps: ApiDeps): Router {
  const { store, streams } = deps;
  const doing = createDoing(deps);
  const api = express.Router();
  api.use(guard(deps));
  api.use(express.json({ limit: "64kb", strict: true }));

  const named = async (request: Request): Promise<Preview> => {
    const key = String(request.params.key);
    const preview = (await store.find(key)) ?? (await store.findByStack(key));
    if (preview) return preview;
    throw new NotFound(`finding a preview: there is none with the key "${key.slice(0, 200)}"`);
  };
  const whole = async (preview: Preview): Promise<PreviewView> =>
    previewView(preview, { ends: (await deps.ends())(preview), ...(await deps.extras(preview)) });

  api.get("/previews", async (request, response) => {
    const previews = await store.list({ gone: request.query.gone === "1" });
    const endsOf = await deps.ends();
    response.json({ previews: previews.map((preview) => previewView(preview, { ends: endsOf(preview) })) });
  });
  api.post("/previews", async (request, response) => {
    const { repository, path, ref } = byHand.parse(request.body);
    const wished = repository ?? path ?? "";
    const detail = ref === undefined ? wished : `${wished}, ${ref}`;
    const preview = await doing.note(request, { action: "up", detail }, (by) =>
      deps.actions.upByHand({ repository: wished, ref, by }),
    );
    response.status(202).json(await whole(preview));
  });
  api.get("/previews/:key", async (request, response) => {
    response.json(await whole(await named(request)));
  });
  api.get("/previews/:key/history", async (request, response) => {
    const { key } = await named(request);
    response.json({ history: await store.history(key, 100), receipts: await store.receipts(key) });
  });
  api.post("/previews/:key/actions", async (request, response) => {
    const wish = actionRequest.parse(request.body);
    const { key } = await named(request);
    await doing.act(request, key, wish);
    response.status(202).json(await whole(await named(request)));
  });
  api.post("/previews/:key/drift", async (request, response) => {
    const { key } = await named(request);
    response.json(await deps.actions.drift(key));
  });
  api.post("/previews/:key/lease", async (request, response) => {
    if (visitorOf(deps, request).kind !== "token")
      throw new Refused(401, "Unauthorized", "running an engine by hand: the token is needed");
    const preview = await named(request);
    const what = { action: "pulumi", key: preview.key };
    const lease = await doing.note(request, what, () => deps.actions.lease(preview.key));
    try {
      await streams.hold(response, { fence: lease.fence, ...(await deps.engineByHand?.(preview)) }, lease.lost);
    } finally {
      await lease.release();
    }
  });
  api.get("/previews/:key/logs", async (request, response) => {
    const { tail, follow, service } = logQuery.parse(request.query);
    const { key } = await named(request);
    const follows = follow === "1" || follow === "true";
    await streams.logs(response, (signal) => deps.logs(key, { tail, follow: follows, service, signal }));
  });
  api.get("/previews/:key/events", async (request, response) => {
    const { key } = await named(request);
    await streams.changes(response, {
      key,
      describe: async () => {
        const preview = await store.find(key);
        if (!preview) return undefined;
        const state = await whole(preview);
        return { state, last: state.stage === "Gone" };
      },
    });
  });
  api.post("/look", async (request, response) => {
    const { key } = lookRequest.parse(request.body);
    await deps.actions.look(key);
    response.status(202).json({ key });
  });
  api.get("/doctor", async (_request, response) => {
    response.json({ findings: await deps.doctor(), counters: await store.counters().catch(() => ({})) });
  });
  api.get("/services", async (_request, response) => {
    response.json(await deps.external.read());
  });
  shareRoutes(api, { share: deps.share, named, doing });
  if (deps.baselines) baselineRoutes(api, { baselines: deps.baselines, streams, doing });
  operateRoutes(api, { operate: deps.operate, doing, isToken: (request) => visitorOf(deps, request).kind === "token" });
  api.post("/login-links", async (request, response) => {
    if (visitorOf(deps, request).kind !== "token")
      throw new Refused(401, "Unauthorized", "making a login link: the token is needed");
    const url = await doing.note(request, { action: "login-link" }, async () => deps.loginUrl(deps.sessions.mint()));
    response.status(201).json({ url });
  });
  api.use(() => {
    throw new NotFound("calling the API: there is no such address");
  });
  api.use(asJson(deps));
  return api;
}

/** Token or session, and no page of another site; a session that changes something must send its CSRF value. */
function guard(deps: ApiDeps): RequestHandler {
  return (request, response, next) => {
    response.setHeader("Cache-Control", "no-store");
    response.setHeader("X-Content-Type-Options", "nosniff");
    if (isForeign(request)) throw new Refused(403, "ForeignOrigin", "calling the API: another site's page may not");
    const visitor = visitorOf(deps, request);
    if (visitor.kind === "anyone") {
      response.setHeader("WWW-Authenticate", 'Bearer realm="stackling"');
      throw new Refused(401, "Unauthorized", "calling the API: a valid token is needed");
    }
    const reads = request.method === "GET" || request.method === "HEAD";
    if (visitor.kind === "session" && !reads) {
      const given = request.get("x-csrf-token") ?? "";
      if (!sameSecret(given, visitor.session.csrf))
        throw new Refused(403, "CsrfMismatch", "calling the API: reload the page first");
    }
    next();
  };
}

class Refused extends TerminalError {
  readonly status: number;

  constructor(status: number, reason: string, userMessage: string) {
    super({ reason, userMessage });
    this.status = status;
  }
}

class NotFound extends Refused {
  constructor(userMessage: string) {
    super(404, "NotFound", userMessage);
  }
}

function asJson({ onError }: Pick<ApiDeps, "onError">): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const { status, ...body } = describe(error);
    if (status >= 500) onError(error);
    response.status(status).json({ error: body });
  };
}

function describe(error: unknown): { readonly status: number; readonly reason: string; readonly message: string } {
  if (error instanceof z.ZodError) return { status: 400, reason: "BadRequest", message: z.prettifyError(error) };
  if (error instanceof Refused || error instanceof RejectedDeliveryError)
    return { status: error.status, ...plainError(error) };
  if (error instanceof TerminalError && error.reason === "NoSuchPreview") return { status: 404, ...plainError(error) };
  if (error instanceof ConfigError || error instanceof TerminalError) return { status: 422, ...plainError(error) };
  if (error instanceof ConflictError) return { status: 409, ...plainError(error) };
  if (error instanceof StacklingError) return { status: 503, ...plainError(error) };
  const status = clientError(error);
  if (status)
    return { status, reason: "BadRequest", message: "reading the request: it is no valid JSON of at most 64 KB" };
  return { status: 500, ...plainError(error) };
}

/** Express marks what the client did wrong (broken JSON, bad escapes in the path) with a 4xx of its own. */
export function clientError(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("status" in error) || typeof error.status !== "number") return undefined;
  return error.status >= 400 && error.status < 500 ? error.status : undefined;
}
