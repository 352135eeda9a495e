/** One short sentence for people out of the engine's stream of events. */
import type { RunEvent } from "../infra/stacks.ts";

/** Writes no more often than this; every write wakes pages that watch. */
const EVERY_MS = 500;

/** A listener for a run's events that reports a new sentence now and then. */
export function describeProgress(report: (message: string) => void): (event: RunEvent) => void {
  let last = "";
  let at = Number.NEGATIVE_INFINITY;
  return (event) => {
    const message = sentenceOf(event);
    if (message === undefined || message === last || performance.now() - at < EVERY_MS) return;
    last = message;
    at = performance.now();
    report(message);
  };
}

/**
 * A listener that calls back once, when `count` hosts are routed: a route is made after its services have
 * passed their health checks, so they can be visited while the engine still writes down what it did.
 */
export function whenRouted(count: number, routed: () => void): (event: RunEvent) => void {
  const urns = new Set<string>();
  return ({ kind, done, failed, urn }) => {
    if (kind !== "resource" || !done || failed || !urn || !ROUTE.test(urn) || BESIDE.test(urn) || urns.has(urn)) return;
    urns.add(urn);
    if (urns.size === count) routed();
  };
}

/** Of what a driver of the port dns makes; a URN names the types of all that it is in. */
const ROUTE = /::stackling:dns:[^:]+\$[^:]+:/;
/** What leads nowhere by itself: a vendor's provider, and the mark beside a record. */
const BESIDE = /\$pulumi:providers:|-owner$/;

function sentenceOf({ kind, done, operation, type, name }: RunEvent): string | undefined {
  if (kind !== "resource" || done || !type || !operation || operation === "same") return undefined;
  const last = type.split(":").at(-1) ?? type;
  const thing = last.replace(/(?<=[a-z0-9])(?=[A-Z])/g, " ").toLowerCase();
  const verb = VERBS[operation];
  return verb && `${verb} ${thing} "${name ?? thing}".`;
}

const VERBS: Readonly<Record<string, string>> = {
  create: "Creating",
  "create-replacement": "Creating",
  update: "Updating",
  replace: "Replacing",
  delete: "Removing",
  "delete-replaced": "Removing",
};
