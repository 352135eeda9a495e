/** Work in the cluster that a program waits for before it declares more. */
import { log, type Output, output, runtime, unsecret } from "@pulumi/pulumi";
import { encodeForEngine } from "../errors.ts";
import { type Cluster, clusterError, connect } from "./client.ts";
import { createFate } from "./fate.ts";
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

/** All of one component share a fate, see fate.ts. */
export function createAwaited(options: Pick<KubernetesOptions, "kubeconfig" | "context">): Awaited {
  // The engine carries nothing but text.
  const fate = createFate((failure) => new Error(encodeForEngine(clusterError("using the cluster", failure))));
  let connected: Promise<Cluster> | undefined;
  return (action, { value, instead, work }) =>
    unsecret(
      output(value).apply(async (known) => {
        if (runtime.isDryRun()) return instead(known as never);
        try {
          return await fate.share(async (signal) => {
            try {
              connected ??= connect(options);
              return await work(known as never, { cluster: await connected, signal });
            } catch (failure) {
              throw clusterError(action, failure);
            }
          });
        } catch (failure) {
          // Telling it keeps the program, and those who listen, until this rejection has come to them.
          void log.error((failure as Error).message);
          throw failure;
        }
      }),
    ) as never;
}
