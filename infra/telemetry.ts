/** What previews are told, so that traces, metrics and errors of one are found as its own. Pure. */
import { environmentName, parseKey } from "./names.ts";
import type { PreviewSpec } from "./spec.ts";

interface Version {
  readonly repository: string;
  readonly commit: string;
  /** Absent for a commit of another repository, whose git branch is another one. */
  readonly gitBranch?: string;
}

/**
 * Variables that OpenTelemetry's and Sentry's libraries read by themselves, of one repository's commit in a preview.
 * Names of attributes: OpenTelemetry's semantic conventions 1.42 ("deployment", "service", "vcs").
 */
export function telemetryOf(
  { key, number }: Pick<PreviewSpec, "key" | "number">,
  { repository, commit, gitBranch }: Version,
): Record<string, string> {
  const parsed = parseKey(key);
  const environment = parsed ? environmentName(parsed) : key;
  return {
    OTEL_RESOURCE_ATTRIBUTES: listed({
      "deployment.environment.name": environment,
      "service.namespace": repository,
      "service.version": commit,
      "vcs.repository.name": repository,
      "vcs.ref.head.revision": commit,
      "vcs.ref.head.name": gitBranch,
      // The preview's own, whatever repository the commit is of.
      "vcs.change.id": gitBranch === undefined || number === undefined ? undefined : String(number),
      "stackling.preview": key,
    }),
    SENTRY_ENVIRONMENT: environment,
    SENTRY_RELEASE: commit,
  };
}

/** As the specification has it ("Resource SDK"): like W3C Baggage, with all that is special encoded. */
function listed(attributes: Readonly<Record<string, string | undefined>>): string {
  const known = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return known.map(([name, value = ""]) => `${name}=${encodeURIComponent(value)}`).join(",");
}
