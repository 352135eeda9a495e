/** What a route says of its DNS record, the same at every vendor. */
import { isIP } from "node:net";
import { type Input, type Output, output } from "@pulumi/pulumi";
import { TerminalError } from "../errors.ts";
import type { RouteDefinition } from "../ports.ts";

/**
 * Public name or address that a host leads to, without a dot at its end: the route's own edge, else the
 * driver's option `target`. Throws `TerminalError` (`SpecInvalid`) when there is neither.
 */
export function recordTarget({ host, edge }: RouteDefinition, target: Input<string> | undefined): Output<string> {
  const chosen = edge ?? target;
  if (chosen !== undefined) return output(chosen).apply((text) => text.replace(/\.$/, ""));
  throw new TerminalError({
    reason: "SpecInvalid",
    userMessage: `creating the DNS record of "${host}": it leads nowhere; give the dns driver a "target"`,
  });
}

export function recordType(target: string): "A" | "AAAA" | "CNAME" {
  const version = isIP(target);
  if (version === 0) return "CNAME";
  return version === 4 ? "A" : "AAAA";
}

export function hostWithoutPort(host: string): string {
  return new URL(`http://${host}`).hostname;
}
