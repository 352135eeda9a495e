/**
 * The door for deliveries: checked, stored, then answered, so that none is lost that got a 2xx. No work
 * is done in the request: a forge gives up after about 10 s.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { RejectedDeliveryError } from "../components/errors.ts";
import { type BodyLimits, createBodyReader } from "./api/body.ts";
import type { Counters } from "./api/counters.ts";
import type { Forge, VerifiedDelivery } from "./forges/forge.ts";
import type { DeliveryRow } from "./store/store.ts";
import { createTracing, type Fields, type Tracing } from "./tracing/tracing.ts";

/** Begin of the counters of deliveries for repositories that are not configured; the path follows. */
export const NOT_CONFIGURED = "deliveries.notConfigured:";

const NAME_MAX = 200;

export interface WebhooksDeps {
  /** Forges by their names in the config. */
  readonly forges: ReadonlyMap<string, Pick<Forge, "verify">>;
  /** Key of the preview of a configured repository's pull request; undefined when it is not configured. */
  readonly keyOf: (forge: string, repositoryPath: string, number: number) => string | undefined;
  /** A repository's path in the config, whatever it is called by now; undefined: they never change. */
  readonly pathOf?: (forge: string, path: string, id: string | undefined) => string;
  /** Resolves once the delivery is committed. */
  readonly receive: (delivery: DeliveryRow) => Promise<void>;
  /** Somebody who may write asked for the check of this preview to be run again; resolves once that is stored. */
  readonly onRerun?: (key: string, asked: { readonly by: string; readonly deliveryId: string }) => Promise<void>;
  /** A repository's default branch was pushed to, or something else became of it; returns at once. */
  readonly onPush?: (forge: string, repositoryPath: string, gitBranch?: string) => void;
  readonly counters: Counters;
  /** Told of each answer to a forge that is configured. Never throws. */
  readonly onAnswered?: (answered: Answered) => void;
  /** Absent: no traces are made. */
  readonly tracing?: Tracing;
  readonly limits: BodyLimits;
  readonly onError: (error: unknown) => void;
}

type Deps = WebhooksDeps & { readonly tracing: Tracing };

/** What became of one delivery. */
export interface Answered {
  readonly forge: string;
  /** Undefined where it could not be read. */
  readonly event?: string;
  /** `received`, `ignored`, `notConfigured`, `refused` or `failed`. */
  readonly outcome: string;
  /** Of one that was refused. */
  readonly reason?: string;
}

export type WebhookHandler = (forge: string, request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Answers 202 once stored, or when there is nothing to store; 400 for broken JSON or a wrong shape,
 * 401 for the signature, 404 for a forge without webhooks, 413 and 415 for the body, 400 for a body
 * that does not come, 503 when too much is held at once or the store is away. Never throws.
 */
export function createWebhooks(given: WebhooksDeps): WebhookHandler {
  const deps = { ...given, tracing: given.tracing ?? createTracing() };
  const withBody = createBodyReader(deps.limits);

  return async (name, request, response) => {
    const startedAtMs = Date.now();
    let about: Fields = {};
    try {
      const forge = deps.forges.get(name);
      if (!forge?.verify) return answer(request, response, 404, { reason: "NoSuchForge", message: "no such forge" });
      requireJson(request);
      const { verify } = forge;
      const headers = singleValued(request);
      const delivery = await withBody(request, (body) => verify({ headers, body }));
      about = { deliveryId: delivery.deliveryId.slice(0, NAME_MAX) };
      const outcome = await deps.tracing.within(about, () => taken(deps, { forge: name, delivery, startedAtMs }));
      deps.counters.add(`deliveries.${outcome}`);
      deps.onAnswered?.({ forge: name, event: delivery.event, outcome });
      answer(request, response, 202, { outcome });
    } catch (error) {
      deps.onAnswered?.({ forge: name, ...refusalOf(error) });
      deps.tracing.within(about, () => refuse(deps, request, response, error));
    }
  };
}

interface Arrived {
  readonly forge: string;
  readonly delivery: VerifiedDelivery;
  readonly startedAtMs: number;
}

/**
 * The begin of a trace, for what is signed: strangers make none. What a sender writes of a trace of its own is not
 * part of what it signs, and is left alone.
 */
function taken(deps: Deps, { forge, delivery, startedAtMs }: Arrived): Promise<string> {
  const attributes = {
    "http.request.method": "POST",
    "http.route": "/webhooks/:forge",
    "stackling.forge": forge,
    "stackling.delivery.id": delivery.deliveryId,
    "stackling.delivery.event": delivery.event,
  };
  const start = { name: "POST /webhooks/:forge", kind: "server", attributes, startedAtMs } as const;
  return deps.tracing.span(start, async (span) => {
    const outcome = await take(deps, forge, delivery);
    span?.set({ "http.response.status_code": 202, "stackling.delivery.outcome": outcome });
    return outcome;
  });
}

async function take(deps: Deps, forge: string, delivery: VerifiedDelivery): Promise<string> {
  const { deliveryId, event, pullRequest, pushedTo, pushedBranch, repositoryId } = delivery;
  const pathOf = (path: string) => deps.pathOf?.(forge, path, repositoryId) ?? path;
  requireShort("id", deliveryId);
  requireShort("event", event);
  if (pushedTo !== undefined) deps.onPush?.(forge, pathOf(pushedTo));
  if (pushedBranch) deps.onPush?.(forge, pathOf(pushedBranch.repositoryPath), pushedBranch.gitBranch);
  for (const { repositoryPath, repositoryId: id } of delivery.concerns ?? []) {
    deps.onPush?.(forge, deps.pathOf?.(forge, repositoryPath, id) ?? repositoryPath);
  }
  if (!pullRequest) return "ignored";
  const key = deps.keyOf(forge, pathOf(pullRequest.repositoryPath), pullRequest.number);
  if (key === undefined) {
    // Signed, so the name is no stranger's; `doctor` shows which repository the config lacks.
    deps.counters.add(`${NOT_CONFIGURED}${pullRequest.repositoryPath.slice(0, 200)}`);
    return "notConfigured";
  }
  try {
    // Before the delivery: killed between them, it is sent again, and its id tells that the wish is there.
    if (delivery.rerunBy !== undefined) await deps.onRerun?.(key, { by: delivery.rerunBy, deliveryId });
    await deps.tracing.within({ key }, () => store(deps, { forge, deliveryId, event, key }));
  } catch (cause) {
    throw new RejectedDeliveryError(503, {
      reason: "StoreUnavailable",
      userMessage: "storing the delivery: the store is away, send it again",
      cause,
    });
  }
  return "received";
}

/** With where it stands in its trace, which the worker goes on with. */
function store({ tracing, receive }: Deps, delivery: DeliveryRow): Promise<void> {
  const attributes = {
    "messaging.system": "pg-boss",
    "messaging.operation.type": "send",
    "messaging.destination.name": "look",
    "stackling.preview": delivery.key,
  };
  return tracing.span({ name: "store delivery", kind: "producer", attributes }, (span) =>
    receive({ ...delivery, ...(span ? { traceparent: span.traceparent } : {}) }),
  );
}

function requireJson({ headers }: IncomingMessage): void {
  const type = headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  if (type === "application/json") return;
  throw new RejectedDeliveryError(415, {
    reason: "UnsupportedContentType",
    userMessage: 'reading the delivery: the content type must be "application/json"',
  });
}

/** Forges send a UUID and a word; what is far longer would not fit into the store's index. */
function requireShort(what: string, value: string): void {
  if (value.length <= NAME_MAX) return;
  throw new RejectedDeliveryError(400, {
    reason: "DeliveryNameTooLong",
    userMessage: `reading the delivery: its ${what} has ${value.length} characters, at most ${NAME_MAX} are taken`,
  });
}

function refuse(deps: WebhooksDeps, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (error instanceof RejectedDeliveryError) {
    deps.counters.add(`deliveries.refused.${error.reason}`);
    if (error.status === 503) deps.onError(error.cause ?? error);
    answer(request, response, error.status, { reason: error.reason, message: error.userMessage });
    return;
  }
  deps.counters.add("deliveries.failed");
  deps.onError(error);
  answer(request, response, 500, { reason: "Internal", message: "the delivery could not be read" });
}

function refusalOf(error: unknown): Pick<Answered, "outcome" | "reason"> {
  return error instanceof RejectedDeliveryError ? { outcome: "refused", reason: error.reason } : { outcome: "failed" };
}

type Body = { readonly outcome: string } | { readonly reason: string; readonly message: string };

function answer(request: IncomingMessage, response: ServerResponse, status: number, body: Body): void {
  if (response.headersSent || response.destroyed) return;
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  if (status === 503) response.setHeader("Retry-After", 5);
  // A body that was refused is not read to its end.
  if (!request.complete) response.setHeader("Connection", "close");
  response.end(`${JSON.stringify("outcome" in body ? body : { error: body })}\n`);
}

/** Headers with one value each, as signatures and event names have; a repeated one is joined by Node. */
function singleValued({ headers }: IncomingMessage): Record<string, string | undefined> {
  const single: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(headers)) single[name] = Array.isArray(value) ? value.join(", ") : value;
  return single;
}
