import { ErrorHook, type ResourceHookBinding, runtime } from "@pulumi/pulumi";
import { encodeForEngine, type StacklingError, toldToEngine } from "./errors.ts";

/** What a vendor's refusal of a creation means. */
export interface FailureWords {
  /** Of the hook; unique in the program. */
  readonly name: string;
  /** The provider's words as a failure of ours; undefined leaves them as they are. */
  readonly mean: (told: string) => StacklingError | undefined;
}

/**
 * Options by which `work` is done right before the engine creates a resource, with its inputs, and only then:
 * what bears its name by now is known to no state of ours. A failure keeps its reason and stops the creation.
 */
export function beforeCreate(
  work: (inputs: Readonly<Record<string, unknown>>) => Promise<void>,
  failure?: FailureWords,
): { readonly hooks?: ResourceHookBinding } {
  // Pulumi's mocks (3.259) say that they take hooks and then fail on one.
  if (!hasHooks(runtime.getMonitor())) return {};
  return {
    hooks: {
      beforeCreate: [({ newInputs = {} }) => toldToEngine(() => work(newInputs))],
      ...(failure && { onError: [translate(failure)] }),
    },
  };
}

function translate({ name, mean }: FailureWords): ErrorHook {
  return new ErrorHook(name, ({ errors: [told = ""] }) => {
    const meant = mean(told);
    if (meant) throw new Error(encodeForEngine(meant));
    return false;
  });
}

function hasHooks(monitor: unknown): boolean {
  return typeof monitor === "object" && monitor !== null && "registerResourceHook" in monitor;
}
