import { type ResourceHookBinding, runtime } from "@pulumi/pulumi";
import { toldToEngine } from "./errors.ts";

/**
 * Options by which `work` is done right before the engine creates a resource, and only then: what bears its
 * name by now is known to no state of ours. A failure keeps its reason and stops the creation.
 */
export function beforeCreate(work: () => Promise<void>): { readonly hooks?: ResourceHookBinding } {
  // Pulumi's mocks (3.259) say that they take hooks and then fail on one.
  if (!hasHooks(runtime.getMonitor())) return {};
  return { hooks: { beforeCreate: [() => toldToEngine(work)] } };
}

function hasHooks(monitor: unknown): boolean {
  return typeof monitor === "object" && monitor !== null && "registerResourceHook" in monitor;
}
