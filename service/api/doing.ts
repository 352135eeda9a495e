/** What somebody asks for by API or page is done in their name, and written into the audit. */
import type { IncomingMessage } from "node:http";
import { type Audit, type AuditNote, noted } from "../audit.ts";
import { type AccessDeps, callerOf, visitorOf } from "./access.ts";
import { type ActionRequest, type Actions, act } from "./actions.ts";
import { createRefusals } from "./refusals.ts";

export interface DoingDeps extends AccessDeps {
  readonly actions: Actions;
  readonly audit: Pick<Audit, "record">;
  /** Where a request comes from, as far as that is known. */
  readonly addressOf: (request: IncomingMessage) => string;
}

export interface Doing {
  act(request: IncomingMessage, key: string, wish: ActionRequest): Promise<void>;
  /** Any other work; it is told in whose name it is done. */
  note<T>(request: IncomingMessage, what: Noted, work: (by: string) => Promise<T>): Promise<T>;
  /** Writes down what somebody had no right to, which was not done; the same not every time. Never rejects. */
  refused(request: IncomingMessage, what: Noted): Promise<void>;
}

export type Noted = Pick<AuditNote, "action" | "key" | "detail">;

export function createDoing(deps: DoingDeps): Doing {
  const noteRefusal = createRefusals(deps.audit);
  const askedBy = (request: IncomingMessage) => {
    const address = deps.addressOf(request);
    return { ...askerOf(deps, request), ...(address ? { address } : {}) };
  };
  const note: Doing["note"] = (request, what, work) => {
    const who = askedBy(request);
    return noted(deps.audit, { ...who, ...what }, () => work(who.actor));
  };
  return {
    note,
    refused: (request, what) => noteRefusal({ ...askedBy(request), ...what }),
    act: (request, key, wish) => {
      // A look changes nothing, and pages and scripts ask for many.
      if (wish.action === "look") return act(deps.actions, key, wish, askerOf(deps, request).actor);
      const detail = detailOf(wish);
      const what = { action: wish.action, key, ...(detail === undefined ? {} : { detail }) };
      return note(request, what, (by) => act(deps.actions, key, wish, by));
    },
  };
}

function askerOf(deps: Pick<AccessDeps, "visitors">, request: IncomingMessage): Pick<AuditNote, "actor" | "via"> {
  const actor = callerOf(deps, request)?.name ?? "nobody";
  return { actor, via: visitorOf(deps, request).kind === "token" ? "api" : "page" };
}

function detailOf(wish: ActionRequest): string | undefined {
  switch (wish.action) {
    case "extend":
      return `by ${wish.seconds} s`;
    case "approve":
    case "approve-promotion":
    case "cancel-promotion":
      return wish.sha;
    case "promote":
      return wish.from === undefined ? undefined : `from ${wish.from}`;
    case "rollback":
      return [wish.sha ?? "the last good commit", ...(wish.keepDatabase ? ["keeping its database"] : [])].join(", ");
    case "keep":
      return wish.keep === false ? "off" : undefined;
    case "flag":
      return wish.value === undefined ? wish.name : `${wish.name}=${wish.value}`;
    case "seed":
      return wish.scenario;
    default:
      return undefined;
  }
}
