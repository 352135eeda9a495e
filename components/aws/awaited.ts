/** What a program asks of AWS itself and waits for before it declares more. */
import { type Output, runtime, unsecret } from "@pulumi/pulumi";
import { toldToEngine } from "../errors.ts";

/** Does `work` once `value` is known, never in a preview; its failure stops the run with its reason. Public, even where `value` is not. */
export function awaited<T, R>(value: Output<T>, work: (value: T) => Promise<R>, instead: R): Output<R> {
  const done = value.apply(async (known): Promise<R> => {
    return runtime.isDryRun() ? instead : toldToEngine(() => work(known));
  });
  return unsecret(done as Output<R>);
}
