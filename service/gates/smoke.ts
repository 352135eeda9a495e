/** Whether an answer is as a smoke test wants it. Pure. */
import { isDeepStrictEqual } from "node:util";
import { getProperty } from "dot-prop";
import type { SmokeTest } from "../../infra/checks.ts";
import type { Answer } from "./http.ts";

type Wanted = Pick<SmokeTest, "status" | "json" | "contains" | "headers" | "method">;

const SHOWN_MAX = 80;

/** What is wrong with it, as the rest of a sentence; undefined: nothing. */
export function faultOf(
  wanted: Wanted,
  answer: Pick<Answer, "status" | "headers" | "body" | "cut">,
): string | undefined {
  const { status, headers } = answer;
  if (!wanted.status.some(([from, to]) => status >= from && status <= to)) {
    const to = status >= 300 && status < 400 && headers.location ? `, to ${shown(headers.location)}` : "";
    return `it answered ${status}${to}, not ${rangesOf(wanted.status)}`;
  }
  const header = Object.entries(wanted.headers ?? {}).find(
    ([name, text]) => !headers[name]?.toLowerCase().includes(text.toLowerCase()),
  );
  if (header) {
    const [name, text] = header;
    const found = headers[name];
    return `its header "${name}" ${found === undefined ? "is missing" : `is ${shown(found)}`}, and must hold ${shown(text)}`;
  }
  const body = answer.body.toString("utf8");
  if (wanted.contains !== undefined && !body.includes(wanted.contains)) {
    return `its answer does not hold ${shown(wanted.contains)}${answer.cut ? " in what was read of it" : ""}`;
  }
  return wanted.json ? jsonFault(wanted.json, body, answer.cut) : undefined;
}

/** `200`, `200–299`, `200 or 404` */
function rangesOf(ranges: SmokeTest["status"]): string {
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`)).join(" or ");
}

function jsonFault(wanted: NonNullable<SmokeTest["json"]>, body: string, cut: boolean): string | undefined {
  if (cut) return "its answer is too long to be read as JSON";
  const read = parse(body);
  if (!read) return "its answer is not JSON";
  for (const [path, value] of Object.entries(wanted)) {
    const found: unknown = isContainer(read.value) ? getProperty(read.value, path) : undefined;
    if (isDeepStrictEqual(found, value)) continue;
    const is = found === undefined ? "is missing" : `is ${shown(found)}`;
    return `in its answer "${path}" ${is}, and must be ${shown(value)}`;
  }
  return undefined;
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** On one line and short, whatever the application says. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`;
}
