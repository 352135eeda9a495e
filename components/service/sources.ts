/** What differs for services of another repository's commit, the same for every driver. Pure. */
import type { ServiceArgs, ServiceDefinition } from "../ports.ts";

/** What runs: a service, or a task of the preview's own commit. */
export type Declared = Partial<Pick<ServiceDefinition, "source" | "environment">>;

/**
 * What Stackling tells a service of its preview: of its own commit, where that is another repository's. What the
 * application declares itself is left out, for not every platform lets the later word stand.
 */
export function environmentOf(
  { environment, sources = {} }: Pick<ServiceArgs, "environment" | "sources">,
  { source, environment: declared = {} }: Declared,
): Readonly<Record<string, string>> {
  const own = linkedOf(sources, source);
  return Object.fromEntries(
    Object.entries({ ...environment, ...own?.environment }).filter(([name]) => !Object.hasOwn(declared, name)),
  );
}

/** Of which commit it is, so that what runs once runs again for a new one. */
export function commitOf(
  { source, sources = {} }: Pick<ServiceArgs, "source" | "sources">,
  declared: Declared,
): string {
  return (linkedOf(sources, declared.source) ?? source).commit;
}

function linkedOf(sources: NonNullable<ServiceArgs["sources"]>, name: string | undefined) {
  return name !== undefined && Object.hasOwn(sources, name) ? sources[name] : undefined;
}
