/** Whether a namespace may be taken, and what holds one that does not go. */
import { setTimeout as delay } from "node:timers/promises";
import type { V1Namespace } from "@kubernetes/client-node";
import { StacklingError, TerminalError } from "../errors.ts";
import { type Cluster, found, isStatus } from "./client.ts";
import { STACK_LABEL } from "./names.ts";

const POLL_MS = 500;

export interface NamespaceOwner {
  readonly namespace: string;
  readonly stack: string;
}

/**
 * Resolves when the namespace is ours or free. Rejects with `NameTaken` (terminal) when it is
 * somebody else's, and with `NamespaceTerminating` when its last life has not ended after `waitMs`.
 */
export async function claimNamespace(
  cluster: Pick<Cluster, "core">,
  owner: NamespaceOwner,
  {
    waitMs,
    signal,
    say,
  }: { readonly waitMs: number; readonly signal: AbortSignal; readonly say: (text: string) => void },
): Promise<void> {
  const until = performance.now() + waitMs;
  for (;;) {
    const there = await found(cluster.core.readNamespace({ name: owner.namespace }));
    if (!there) return;
    // Whose it was matters no more for one that is going.
    if (!there.metadata?.deletionTimestamp) return requireOurs(there, owner, "using");
    if (performance.now() > until) throw terminating(`creating namespace "${owner.namespace}"`, there);
    say(`waiting until the last namespace "${owner.namespace}" is gone`);
    await delay(POLL_MS, undefined, { signal });
  }
}

/**
 * Deletes the namespace and resolves when it is gone; gone already is success. One that does not bear
 * the stack's label is left alone (`NameTaken`). Rejects with `NamespaceTerminating`, which says what
 * holds it, after `waitMs`.
 */
export async function removeNamespace(
  cluster: Pick<Cluster, "core">,
  owner: NamespaceOwner,
  waitMs: number,
): Promise<void> {
  const until = performance.now() + waitMs;
  let asked = false;
  for (;;) {
    const there = await found(cluster.core.readNamespace({ name: owner.namespace }));
    if (!there) return;
    requireOurs(there, owner, "removing");
    if (!there.metadata?.deletionTimestamp && !asked) {
      asked = true;
      const uid = there.metadata?.uid;
      // One that somebody made anew meanwhile is not what was looked at.
      const body = uid === undefined ? {} : { preconditions: { uid } };
      await cluster.core.deleteNamespace({ name: owner.namespace, body }).catch((error: unknown) => {
        if (!isStatus(error, 404) && !isStatus(error, 409)) throw error;
      });
    }
    if (performance.now() > until) throw terminating(`removing namespace "${owner.namespace}"`, there);
    await delay(POLL_MS);
  }
}

/** A kind that not every cluster serves. */
export interface NeededKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Whose it is, in a person's words. */
  readonly of: string;
}

export const HTTP_ROUTE: NeededKind = {
  group: "gateway.networking.k8s.io",
  version: "v1",
  kind: "HTTPRoute",
  of: "the Gateway API",
};

export const EXTERNAL_SECRET: NeededKind = {
  group: "external-secrets.io",
  version: "v1",
  kind: "ExternalSecret",
  of: "the External Secrets Operator",
};

/** Rejects with `TargetInvalid` (terminal) for the first kind that the cluster does not serve. */
export async function requireKinds({ custom }: Pick<Cluster, "custom">, needed: readonly NeededKind[]): Promise<void> {
  for (const { group, version, kind, of } of needed) {
    const served = await found(custom.getAPIResources({ group, version }));
    if (served?.resources.some((resource) => resource.kind === kind)) continue;
    throw new TerminalError({
      reason: "TargetInvalid",
      userMessage: `using kind "${kind}": the cluster does not serve "${group}/${version}"; install ${of} there first`,
    });
  }
}

/** Why a namespace is still there although it is being deleted, and what helps. Pure. */
export function stuckWords(namespace: V1Namespace): string {
  const since = namespace.metadata?.deletionTimestamp?.toISOString();
  const told = (namespace.status?.conditions ?? []).filter(
    ({ status, message }) => status === "True" && message !== undefined,
  );
  const own = namespace.metadata?.finalizers ?? [];
  const reasons = [
    ...told.flatMap(({ message }) => message ?? []),
    ...(own.length > 0 ? [`the namespace itself has the finalizer ${own.map((name) => `"${name}"`).join(", ")}`] : []),
  ];
  const why =
    reasons.length > 0
      ? reasons.map((reason) => reason.replace(/[.\s]+$/, "")).join("; ")
      : "its content is still being deleted";
  const help = /finalizer/i.test(why)
    ? "; start the controller that serves the finalizer, or take the finalizer out of what is named"
    : "";
  return `it is in deletion since ${since ?? "a while"}: ${why}${help}`;
}

function terminating(action: string, namespace: V1Namespace): StacklingError {
  return new StacklingError({ reason: "NamespaceTerminating", userMessage: `${action}: ${stuckWords(namespace)}` });
}

function requireOurs(there: V1Namespace, { namespace, stack }: NamespaceOwner, action: string): void {
  const owner = there.metadata?.labels?.[STACK_LABEL];
  if (owner === stack) return;
  const whose = owner === undefined ? "was not made by Stackling" : `belongs to stack "${owner}"`;
  throw new TerminalError({
    reason: "NameTaken",
    userMessage: `${action} namespace "${namespace}" for stack "${stack}": it exists and ${whose}; rename or remove it, or choose another "namespacePrefix"`,
  });
}
