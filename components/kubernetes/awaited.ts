/** Work in the cluster that a program waits for before it declares more. */
import { log, type Output, output, runtime, unsecret } from "@pulumi/pulumi";
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

/**
 * All of one component share a fate: the first failure ends the waiting of the others at once, and no
 * rejection comes before all have ended. One that came later, when the program is over and nobody
 * listens any more, would end the process.
 */
export function createAwaited(options: Pick<KubernetesOptions, "kubeconfig" | "context">): Awaited {
  const fate = new AbortController();
  const underWay = new Set<Promise<unknown>>();
  let connected: Promise<Cluster> | undefined;
  const begin = async <R>(work: (work: Work) => Promise<R>): Promise<R> => {
    fate.signal.throwIfAborted();
    connected ??= connect(options);
    return work({ cluster: await connected, signal: fate.signal });
  };
  return (action, { value, instead, work }) =>
    unsecret(
      output(value).apply(async (known) => {
        if (runtime.isDryRun()) return instead(known as never);
        const begun = begin((given) => work(known as never, given));
        underWay.add(begun);
        try {
          return await begun;
        } catch (error) {
          if (!fate.signal.aborted) fate.abort(new Error(encodeForEngine(clusterError(action, error))));
          await Promise.allSettled(underWay);
          // The engine carries nothing but text. Telling it also keeps the program until this rejection is known.
          void log.error(fate.signal.reason.message);
          throw fate.signal.reason;
        }
      }),
    ) as never;
}
