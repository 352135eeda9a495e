/** What a program asks of AWS itself and waits for before it declares more. */
import { type Output, output, runtime, unsecret } from "@pulumi/pulumi";
import { toldToEngine } from "../errors.ts";

/** Does `work` once `value` is known; its failure stops the run with its reason. `instead` in a preview. Public, even where `value` is not. */
export function awaited<T, R>(value: Output<T>, work: (value: T) => Promise<R>, instead: R): Output<R> {
  if (runtime.isDryRun()) return output(instead) as Output<R>;
  return unsecret(value.apply((known) => toldToEngine(() => work(known))) as Output<R>);
}
