/** Names at AWS: fixed, and such that the stack can be told from each. Pure. */
import { createHash } from "node:crypto";

/** Told to containers as PORT where `preview.yaml` names none. */
export const DEFAULT_PORT = 8080;

/** Parts stacks and services apart, because neither has it in its name. */
const MARK = "_";

/** ECS services, task-definition families and IAM roles. */
export function thingName(stack: string, part: string, max = 255): string {
  return cut(`${stack}${MARK}${part}`, max);
}

/** The stack and part of what `thingName` made; undefined for anything else. */
export function readThingName(name: string): { readonly stack: string; readonly part: string } | undefined {
  const [stack, part, ...more] = name.split(MARK);
  return stack && part && more.length === 0 ? { stack, part } : undefined;
}

/** `/stackling/<stack>`: its log group, and the path of its roles with a slash behind. */
export function logGroupName(stack: string): string {
  return `/stackling/${stack}`;
}

/** Secrets of a stack; `part` is `environment` or `secrets/NAME`. */
export function secretName(stack: string, part: string): string {
  return `stackling/${stack}/${part}`;
}

/** `web.shop-pr-42`, below the namespace's own name: one DNS label each, so no two previews meet. */
export function discoveryName(stack: string, service: string): string {
  return `${service}.${stack}`;
}

/** At most 32 letters, digits and dashes: ELB docs, "Create a target group". */
export function targetGroupName(stack: string, service: string): string {
  return cut(`${stack}-${service}`, 32, hash(`${stack}${MARK}${service}`, 8));
}

/** The first `length` hexadecimal digits of the text's SHA-256. */
export function hash(text: string, length: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, length);
}

/** As it is when it fits; with a suffix given, that always ends it. */
function cut(text: string, max: number, suffix?: string): string {
  if (suffix === undefined && text.length <= max) return text;
  const end = suffix ?? hash(text, 8);
  return `${text.slice(0, max - end.length - 1).replace(/-+$/, "")}-${end}`;
}
