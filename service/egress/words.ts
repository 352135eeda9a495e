/** How people are told where a preview may go, and what it was refused. Pure. */
import type { PreviewView } from "../api/preview-view.ts";
import { minuteOf } from "../reason-words.ts";
import { type RefusedCall, whyRefused } from "./refusals.ts";

/** One line; undefined where it may go anywhere. */
export function egressLine({ egress }: Pick<PreviewView, "egress">): string | undefined {
  if (egress === undefined) return undefined;
  return egress === "enforced"
    ? "named hosts only"
    : "advisory: named hosts only, for programs that ask the egress proxy; nothing holds back others";
}

/** Without a full stop. */
export function refusedLine(call: RefusedCall): string {
  const { host, port, count, lastAt } = call;
  const times = count === 1 ? "once" : `${count} times`;
  return `${port === undefined ? host : `${host}:${port}`}, ${times}, last at ${minuteOf(lastAt)}: ${whyRefused(call)}`;
}
