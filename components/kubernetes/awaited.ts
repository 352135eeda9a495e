/** Work in the cluster that a program waits for before it declares more. */
import { type Output, output, runtime, unsecret } from "@pulumi/pulumi";
import { encodeForEngine } from "../errors.ts";
import { type Cluster, clusterError, connect } from "./client.ts";
import type { KubernetesOptions } from "./options.ts";

export interface Work {
  readonly cluster: Cluster;
  /** Aborts when other work of the same program failed: then its failure is the one to tell. */
  readonly signal: AbortSignal;
}

/**
 * Does `work` once `value` is known; `instead` in a preview, where nothing may be asked of the world.
 * The result is public even where `value` is not.
 */
export type Awaited = <T, R>(
  action: string,
  {
    value,
    instead,
    work,
  }: {
    readonly value: Output<T>;
    readonly instead: (value: T) => R;
    readonly work: (value: T, work: Work) => Promise<R>;
  },
) => Output<R>;

/** All of one component share a fate: the first failure ends the waiting of the others at once. */
export function createAwaited(options: Pick<KubernetesOptions, "kubeconfig" | "context">): Awaited {
  const fate = new AbortController();
  let connected: Promise<Cluster> | undefined;
  return (action, { value, instead, work }) =>
    unsecret(
      output(value).apply(async (known) => {
        if (runtime.isDryRun()) return instead(known as never);
        try {
          connected ??= connect(options);
          return await work(known as never, { cluster: await connected, signal: fate.signal });
        } catch (error) {
          // The engine carries nothing but text.
          const told = fate.signal.aborted
            ? fate.signal.reason
            : new Error(encodeForEngine(clusterError(action, error)));
          fate.abort(told);
          throw told;
        }
      }),
    ) as never;
}
