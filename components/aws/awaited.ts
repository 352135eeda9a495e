/** What a program asks of AWS itself and waits for before it declares more. */
import { type Output, output, runtime, unsecret } from "@pulumi/pulumi";
import { toldToEngine } from "../errors.ts";
import type { Pace } from "./pace.ts";

/**
 * Does `work` once `value` is known; `instead` in a preview. A failure stops the run with its reason, and
 * all other waiting at that pace with it. Public, even where `value` is not.
 */
export function awaited<T, R>(
  { fate }: Pick<Pace, "fate">,
  {
    value,
    work,
    instead,
  }: {
    readonly value: Output<T>;
    readonly work: (value: T) => Promise<R>;
    readonly instead: R;
  },
): Output<R> {
  if (runtime.isDryRun()) return output(instead) as Output<R>;
  const done = value.apply(async (known) => {
    try {
      return await toldToEngine(() => work(known));
    } catch (failure) {
      // What was broken off has nothing of its own to tell.
      const told = fate.signal.aborted ? fate.signal.reason : failure;
      fate.abort(told);
      throw told;
    }
  });
  return unsecret(done as Output<R>);
}
