/** Work whose failures are one failure. */

export interface Fate {
  /** Resolves as `work` does. Rejects with what the first failure of any work here became. */
  share<R>(work: (signal: AbortSignal) => Promise<R>): Promise<R>;
}

/**
 * The first failure aborts the signal of all work, and nothing rejects before all work has ended: a
 * rejection that came later, when the program is over and nobody listens any more, would end the process.
 *
 * @param tell makes of the first failure what is thrown in its place, once
 */
export function createFate(tell: (failure: unknown) => Error): Fate {
  const end = new AbortController();
  const underWay = new Set<Promise<unknown>>();
  const begin = async <R>(work: (signal: AbortSignal) => Promise<R>): Promise<R> => {
    end.signal.throwIfAborted();
    return work(end.signal);
  };
  return {
    async share(work) {
      const begun = begin(work);
      underWay.add(begun);
      try {
        return await begun;
      } catch (failure) {
        if (!end.signal.aborted) end.abort(tell(failure));
        await Promise.allSettled(underWay);
        throw end.signal.reason;
      }
    },
  };
}
