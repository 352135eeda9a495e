/** Forms: where they may lead, who may send them, and what they say. */
import express, { type Request, type Response } from "express";
import { type AccessDeps, visitorOf } from "../api/access.ts";
import { type Session, sameSecret } from "../session.ts";

export const form = express.urlencoded({ extended: false, limit: "8kb", parameterLimit: 20 });

/** The policy of the pages lets forms go to ourselves alone, and be led on to nobody; those of this answer may, to this server. */
export function allowForm(response: Response, server: string): void {
  const policy = String(response.getHeader("Content-Security-Policy") ?? "");
  const allowed = policy.replace("form-action 'self'", `form-action 'self' ${new URL(server).origin}`);
  response.setHeader("Content-Security-Policy", allowed);
}

/** Beside it, a question that was answered with yes. */
export const CONFIRMED = "confirmed";

export function sessionOf(deps: AccessDeps, request: Request): Session | undefined {
  const visitor = visitorOf(deps, request);
  return visitor.kind === "session" ? visitor.session : undefined;
}

/** The session of one that may act: its form carries the session's own value. */
export function actorOf(deps: AccessDeps, request: Request): Session | undefined {
  const session = sessionOf(deps, request);
  return session && sameSecret(fieldOf(request, "csrf") ?? "", session.csrf) ? session : undefined;
}

export function fieldOf({ body }: Request, name: string): string | undefined {
  const fields: unknown = body;
  if (typeof fields !== "object" || fields === null || !Object.hasOwn(fields, name)) return undefined;
  const value: unknown = Object.getOwnPropertyDescriptor(fields, name)?.value;
  return typeof value === "string" ? value : undefined;
}

export function isConfirmed(request: Request): boolean {
  return fieldOf(request, CONFIRMED) === "yes";
}
