import { MONTH } from "../money/month.ts";
import { WrongUse } from "../wrong-use.ts";

type Given = string | boolean | undefined;

/** A port from the command line, or from the variable `name`; undefined when it was not given. */
export function portOption(value: Given, name = "--port"): number | undefined {
  if (typeof value !== "string") return undefined;
  const port = Number(value);
  if (/^\d{1,5}$/.test(value) && port <= 65_535) return port;
  throw new WrongUse(`reading ${name}: "${value}" is no port, which is a number from 1 to 65535`);
}

/** Milliseconds of a time in seconds. */
export function timeoutOption(value: Given): number {
  const seconds = Number(value);
  if (typeof value === "string" && /^\d{1,6}$/.test(value) && seconds > 0) return seconds * 1000;
  throw new WrongUse(`reading --timeout: "${value}" is no number of seconds`);
}

export function countOption(name: string, value: Given): number {
  if (typeof value === "string" && /^\d{1,5}$/.test(value)) return Number(value);
  throw new WrongUse(`reading --${name}: "${value}" is no number`);
}

/** `2026-11`; undefined when it was not given. */
export function monthOption(value: string | undefined): string | undefined {
  if (value === undefined || MONTH.test(value)) return value;
  throw new WrongUse(`reading --month: "${value}" is no month, which is written like 2026-11`);
}

export function textOption(value: Given): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
