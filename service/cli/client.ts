/** The service's API as the verbs use it. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { buffer } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { StacklingError } from "../../components/errors.ts";
import type { Finding, LogLine } from "../../components/ports.ts";
import type { DriftReport } from "../../infra/stacks.ts";
import type { ActionRequest } from "../api/actions.ts";
import type { PreviewView } from "../api/preview-view.ts";
import type { TokenRequest } from "../api/routes/access.ts";
import type { BaselineCheckRequest } from "../api/routes/baselines.ts";
import type { BudgetLiftRequest, BudgetView } from "../api/routes/budgets.ts";
import type { CostsAnswer, CostsQuery } from "../api/routes/costs.ts";
import type { SweepRequest } from "../api/routes/operate.ts";
import type { ShareRequest } from "../api/routes/share.ts";
import type { AuditEntry, AuditQuery } from "../audit.ts";
import type { BaselineView, BuildLine, CheckLine } from "../baselines/keeper.ts";
import type { DeployLine, Deployment } from "../deployments/deployment.ts";
import type { EngineByHand } from "../engine-by-hand.ts";
import type { ServiceMatrix } from "../external/matrix.ts";
import type { ShareLink } from "../gateway/access/share.ts";
import type { Lift } from "../money/budgets/budget.ts";
import type { ExportFormat } from "../money/focus/export.ts";
import type { Pause } from "../store/operation.ts";
import type { SweepReport } from "../sweep/report.ts";
import type { TokenRow } from "../tokens/token.ts";
import { ANSWER_WITHIN_MS, type Asked, createAsking } from "./asking.ts";

export interface Client {
  readonly url: string;
  list(options?: { readonly gone?: boolean }): Promise<readonly PreviewView[]>;
  find(key: string): Promise<PreviewView>;
  up(wish: { readonly path: string; readonly ref?: string }): Promise<PreviewView>;
  act(key: string, request: ActionRequest): Promise<PreviewView>;
  look(key: string): Promise<void>;
  drift(key: string): Promise<DriftReport>;
  logs(
    key: string,
    query: {
      readonly tail: number;
      readonly follow: boolean;
      readonly service?: string;
      readonly signal?: AbortSignal;
    },
  ): AsyncIterable<LogLine>;
  /** Newest first. */
  deployments(key: string): Promise<readonly Deployment[]>;
  /** What was said in one of them, or in the latest. */
  deployLog(
    key: string,
    id: string,
    query: { readonly follow: boolean; readonly signal?: AbortSignal },
  ): AsyncIterable<DeployLine>;
  /** The right to run an engine by hand, held by the service for as long as this connection lives. */
  lease(key: string): Promise<RemoteLease>;
  doctor(): Promise<{ readonly findings: readonly Finding[]; readonly counters: Readonly<Record<string, number>> }>;
  /** Services of others that the repositories use. */
  services(): Promise<ServiceMatrix>;
  /** The kill switch, after it was set as asked; null while nothing is stopped. */
  pause(paused?: boolean, by?: string): Promise<Pause | null>;
  /** Resolves when the sweep is over. */
  sweep(request: SweepRequest): Promise<SweepReport>;
  /** What previews cost; all pages of it. */
  costs(query: CostsQuery): Promise<CostsAnswer>;
  budgets(): Promise<readonly BudgetView[]>;
  liftBudget(name: string, wish: BudgetLiftRequest): Promise<Lift>;
  unliftBudget(name: string, subject?: string): Promise<void>;
  /** A month of them as a file. */
  exportCosts(query: { readonly format: ExportFormat; readonly month?: string }): Promise<Buffer>;
  /** A link that opens a preview's door for a while. */
  share(key: string, request: ShareRequest): Promise<ShareLink & { readonly key: string }>;
  baselines(): Promise<readonly BaselineView[]>;
  /** Builds one, or follows the build that runs. */
  buildBaseline(name: string): AsyncIterable<BuildLine>;
  checkBaseline(name: string, names: readonly string[]): AsyncIterable<CheckLine>;
  /** The token itself is in the answer, and nowhere else from then on. */
  createToken(request: TokenRequest): Promise<TokenRow & { readonly token: string }>;
  tokens(): Promise<readonly TokenRow[]>;
  revokeToken(name: string): Promise<TokenRow>;
  /** Newest first, at most so many. */
  audit(query: Omit<AuditQuery, "before">): Promise<readonly AuditEntry[]>;
  /** An address that logs its first visitor in to the pages. */
  loginLink(): Promise<string>;
  /** Looks until `done` says so. Rejects with `StacklingError` (`TimedOut`) after `timeoutMs`. */
  waitFor(key: string, done: (preview: PreviewView) => boolean, options: WaitOptions): Promise<PreviewView>;
}

export interface RemoteLease extends EngineByHand {
  /** What the provider must show. */
  readonly fence: number;
  /** Aborts when the service lost it, or itself went away. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly onChange?: (preview: PreviewView) => void;
  readonly signal?: AbortSignal;
  /** Errors that are waited through, until the time is over. */
  readonly passes?: (error: unknown) => boolean;
}

const LOOK_EVERY_MS = 200;
/** What is answered when it is done, or when many others were asked: engines, forges, all previews of a sweep. */
const WORK_WITHIN_MS = 3_600_000;
/** However little of the time is left, one more look is given a chance. */
const LAST_LOOK_MS = 1_000;
/** Of the API, in one answer. */
const LIMIT_MAX = 500;

export function createClient({ url, token }: { readonly url: string; readonly token: string }): Client {
  const { ask, open, answered } = createAsking({ url, token });
  const of = (key: string) => `/previews/${encodeURIComponent(key)}`;

  const find = (key: string, call: Pick<Asked, "signal" | "withinMs"> = {}) => ask<PreviewView>(of(key), call);
  /** Page after page. */
  const pagesOf = async <Page extends { readonly next?: string }>(
    path: string,
    query: Readonly<Record<string, string>>,
  ) => {
    const pages: Page[] = [];
    let cursor: string | undefined;
    do {
      const asked = new URLSearchParams({ ...query, limit: String(LIMIT_MAX), ...(cursor ? { cursor } : {}) });
      const page = await ask<Page>(`${path}?${asked}`);
      pages.push(page);
      cursor = page.next;
    } while (cursor !== undefined);
    return pages;
  };
  const allOf = async <Item>(path: string, name: string, query: Readonly<Record<string, string>>) => {
    const pages = await pagesOf<{ readonly [list: string]: unknown; readonly next?: string }>(path, query);
    return pages.flatMap((page) => page[name] as readonly Item[]);
  };
  return {
    url,
    find: (key) => find(key),
    list: ({ gone = false } = {}) => allOf("/previews", "previews", gone ? { gone: "1" } : {}),
    up: (wish) => ask("/previews", { method: "POST", body: wish, withinMs: WORK_WITHIN_MS }),
    act: (key, request) => ask(`${of(key)}/actions`, { method: "POST", body: request }),
    drift: (key) => ask(`${of(key)}/drift`, { method: "POST", body: {}, withinMs: WORK_WITHIN_MS }),
    share: (key, request) => ask(`${of(key)}/share`, { method: "POST", body: request }),
    look: async (key) => {
      await ask("/look", { method: "POST", body: { key } });
    },
    async *logs(key, { tail, follow, service, signal }) {
      const query = new URLSearchParams({
        tail: String(tail),
        follow: follow ? "1" : "0",
        ...(service ? { service } : {}),
      });
      yield* linesOf<LogLine>(await open(`${of(key)}/logs?${query}`, signal ? { signal } : {}));
    },
    deployments: async (key) =>
      (await ask<{ deployments: readonly Deployment[] }>(`${of(key)}/deployments`)).deployments,
    async *deployLog(key, id, { follow, signal }) {
      const path = `${of(key)}/deployments/${encodeURIComponent(id)}/log?follow=${follow ? "1" : "0"}`;
      yield* linesOf<DeployLine>(await open(path, signal ? { signal } : {}));
    },
    lease: async (key) => {
      const message = await open(`${of(key)}/lease`, { method: "POST", body: {}, withinMs: WORK_WITHIN_MS });
      const lost = new AbortController();
      const closed = once(message, "close").then(
        () => lost.abort(),
        () => lost.abort(),
      );
      const lines = createInterface({ input: message });
      const [first] = (await once(lines, "line", { signal: lost.signal })) as [string];
      const granted = JSON.parse(first) as EngineByHand & Pick<RemoteLease, "fence">;
      return {
        ...granted,
        lost: lost.signal,
        release: async () => {
          message.destroy();
          await closed;
        },
      };
    },
    doctor: () => ask("/doctor", { withinMs: WORK_WITHIN_MS }),
    services: () => ask("/services", { withinMs: WORK_WITHIN_MS }),
    pause: async (paused, by) => {
      const call = paused === undefined ? {} : ({ method: "POST", body: { paused, by } } as const);
      return (await ask<{ pause: Pause | null }>("/pause", call)).pause;
    },
    sweep: async (body) => {
      const call = { method: "POST", body, withinMs: WORK_WITHIN_MS } as const;
      return (await ask<{ report: SweepReport }>("/sweep", call)).report;
    },
    baselines: async () => (await ask<{ baselines: readonly BaselineView[] }>("/baselines")).baselines,
    async *buildBaseline(name) {
      const path = `/baselines/${encodeURIComponent(name)}/build`;
      yield* linesOf<BuildLine>(await open(path, { method: "POST", body: {} }));
    },
    async *checkBaseline(name, names) {
      const path = `/baselines/${encodeURIComponent(name)}/check`;
      const body: BaselineCheckRequest = { names: [...names] };
      yield* linesOf<CheckLine>(await open(path, { method: "POST", body }));
    },
    createToken: (body) => ask("/tokens", { method: "POST", body }),
    tokens: () => allOf("/tokens", "tokens", {}),
    revokeToken: (name) => ask(`/tokens/${encodeURIComponent(name)}`, { method: "DELETE" }),
    budgets: async () => (await ask<{ budgets: readonly BudgetView[] }>("/budgets")).budgets,
    liftBudget: async (name, body) =>
      (await ask<{ lift: Lift }>(`/budgets/${encodeURIComponent(name)}/lift`, { method: "POST", body })).lift,
    async unliftBudget(name, subject) {
      const of = subject === undefined ? "" : `?${new URLSearchParams({ subject })}`;
      await ask(`/budgets/${encodeURIComponent(name)}/lift${of}`, { method: "DELETE" });
    },
    costs: async (query) => {
      const pages = await pagesOf<CostsAnswer>("/costs", query);
      const { next: _none, ...last } = pages[pages.length - 1] as CostsAnswer;
      return { ...last, costs: pages.flatMap(({ costs }) => costs) };
    },
    exportCosts: async (query) =>
      answered(`/costs/export?${new URLSearchParams(query)}`, { withinMs: WORK_WITHIN_MS }, buffer),
    audit: async ({ limit, ...query }) => {
      const asked = new URLSearchParams({ ...query, limit: String(limit) });
      return (await ask<{ audit: readonly AuditEntry[] }>(`/audit?${asked}`)).audit;
    },
    loginLink: async () => (await ask<{ url: string }>("/login-links", { method: "POST", body: {} })).url,
    waitFor: async (key, done, { timeoutMs, onChange, signal, passes }) => {
      const deadline = performance.now() + timeoutMs;
      let shown = "";
      for (;;) {
        const leftMs = deadline - performance.now();
        const isLate = leftMs < 0;
        const withinMs = Math.min(ANSWER_WITHIN_MS, Math.max(LAST_LOOK_MS, leftMs));
        const preview = await find(key, { withinMs, ...(signal ? { signal } : {}) }).catch((error: unknown) => {
          signal?.throwIfAborted();
          if (isLate || !passes?.(error)) throw error;
        });
        const now = preview ? `${preview.condition} ${preview.reason} ${preview.message}` : shown;
        if (preview && now !== shown) onChange?.(preview);
        shown = now;
        if (preview && done(preview)) return preview;
        if (preview && isLate) throw timedOut(preview, timeoutMs);
        await pause(LOOK_EVERY_MS, undefined, signal ? { signal } : {});
      }
    },
  };
}

/** Lines of JSON; throws the error that ends them, if one does. */
async function* linesOf<Line extends object>(message: IncomingMessage): AsyncGenerator<Line> {
  for await (const line of createInterface({ input: message, crlfDelay: Number.POSITIVE_INFINITY })) {
    const value = JSON.parse(line) as Line | { readonly error: { readonly reason: string; readonly message: string } };
    if ("error" in value) throw new StacklingError({ reason: value.error.reason, userMessage: value.error.message });
    yield value;
  }
}

function timedOut({ key, condition, reason, message }: PreviewView, timeoutMs: number): StacklingError {
  return new StacklingError({
    reason: "TimedOut",
    userMessage: `waiting for ${key}: after ${Math.round(timeoutMs / 1000)} s it is ${condition}/${reason}${message ? ` (${message})` : ""}`,
  });
}
