/**
 * The operator's own program of a target: a module whose `extend` adds to every preview. It lies wherever
 * the operator likes and shares our copy of the Pulumi SDK (one of its own would not know the run it is
 * in), so that it needs no packages beside it but for an editor's types. Imported only where a target has one.
 */
import { stat } from "node:fs/promises";
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import { encodeForEngine, StacklingError } from "../components/errors.ts";
import type { Extension } from "./program.ts";

/** Our own root, and the ending of our modules here: `.ts` in a clone, `.js` in the package. */
const ROOT = new URL("../", import.meta.url).href;
const SUFFIX = import.meta.url.slice(-3);
/** What `previewProgram` gives out itself. */
const OURS = ["spec", "addresses", "hosts", "database", "databaseIdentity", "schema"];

registerHooks({
  resolve: (specifier, context, next) => {
    const fromUs = { ...context, parentURL: import.meta.url };
    if (/^@pulumi\/pulumi(\/|$)/.test(specifier)) return next(specifier, fromUs);
    const ours = /^stackling\/((?:components|infra)\/.+)$/.exec(specifier)?.[1];
    if (ours !== undefined) return next(`${ROOT}${ours}${SUFFIX}`, context);
    if (!specifier.startsWith("@pulumi/")) return next(specifier, context);
    try {
      return next(specifier, context);
    } catch {
      return next(specifier, fromUs);
    }
  },
});

/**
 * Loads it as it is now: a changed file is read anew, what it imports is not until the service starts
 * again. Throws `StacklingError` (`ProgramInvalid`), which is tried again until the file is right; so does
 * the function that it gives, when the operator's throws or returns an output that is ours.
 */
export async function loadExtension(path: string): Promise<Extension> {
  const { extend } = await load(path);
  if (typeof extend !== "function") throw invalid(`loading "${path}": it exports no function "extend"`);
  return async (context) => {
    try {
      const outputs: Readonly<Record<string, unknown>> = (await extend(context)) ?? {};
      const taken = OURS.find((name) => name in outputs);
      if (taken) throw new Error(`it returned the output "${taken}", which is Stackling's own`);
      return outputs;
    } catch (error) {
      // Out of a program nothing but text reaches us.
      throw new Error(encodeForEngine(invalid(`running "extend" of "${path}": ${firstLine(error)}`, error)));
    }
  };
}

async function load(path: string): Promise<{ readonly extend?: unknown }> {
  try {
    const { mtimeMs } = await stat(path);
    return (await import(`${pathToFileURL(path).href}?${mtimeMs}`)) as { readonly extend?: unknown };
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw invalid(`loading "${path}": ${missing ? "there is no such file" : firstLine(error)}`, error);
  }
}

function invalid(what: string, cause: unknown = undefined): StacklingError {
  return new StacklingError({ reason: "ProgramInvalid", userMessage: `the operator's program: ${what}`, cause });
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
