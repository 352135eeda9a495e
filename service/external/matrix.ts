/** Services of others over all repositories: what each is in production, in previews and where people develop. Pure. */
import type { Finding } from "../../components/ports.ts";
import type { ApplicationConfig, ExternalMode, ExternalService } from "../config/application-types.ts";
import { takesKeys } from "../config/external.ts";
import type { RepositoryConfig } from "../config/repository-types.ts";
import type { ApplicationRead } from "../policy.ts";

export interface ServiceRow {
  readonly repository: string;
  readonly name: string;
  readonly preview: ExternalMode;
  /** In words; absent where nobody said. */
  readonly production?: string;
  readonly development?: string;
  /** `YYYY-MM-DD` on which somebody is to look at it again. */
  readonly review?: string;
  /** True after that day. */
  readonly overdue: boolean;
  /** Names of the operator's secrets that previews get for it. */
  readonly secrets: readonly string[];
}

export interface ServiceMatrix {
  /** ISO 8601 */
  readonly at: string;
  readonly services: readonly ServiceRow[];
  /** What somebody is to look at. */
  readonly warnings: readonly ServiceWarning[];
}

export interface ServiceWarning {
  readonly kind: "overdue" | "unread" | "unnamed";
  /** A sentence without its full stop. */
  readonly message: string;
}

/** What one repository's preview.yaml says, as its default branch has it. */
export interface RepositoryRead {
  readonly repository: Pick<RepositoryConfig, "name">;
  readonly read: ApplicationRead;
}

export function matrixOf(reads: readonly RepositoryRead[], now: string): ServiceMatrix {
  const today = now.slice(0, 10);
  const services = reads.flatMap(({ repository: { name }, read }) =>
    read.kind === "found" ? (read.application.external ?? []).map((service) => rowOf(name, service, today)) : [],
  );
  const overdue = services.filter((row) => row.overdue);
  return {
    at: now,
    services,
    warnings: [
      ...overdue.map((row) => ({
        kind: "overdue" as const,
        message: `the entry of "${row.name}" in preview.yaml of "${row.repository}" was to be reviewed by ${row.review}`,
      })),
      ...reads.flatMap(({ repository: { name }, read }) => faultsOf(name, read)),
    ],
  };
}

/** What `doctor` says of it: only a review that is overdue is a fault, for the rest may be meant. */
export function serviceFindings({ warnings }: ServiceMatrix): readonly Finding[] {
  return warnings.map(({ kind, message }) => ({ ok: kind !== "overdue", what: message, remedy: REMEDIES[kind] }));
}

const REMEDIES: Readonly<Record<ServiceWarning["kind"], string>> = {
  overdue: "see whether the entry still holds, and set its next `review`",
  unread: "mend what it says; until then its services are missing from `stackling services`",
  unnamed: "name under `external` what it is for",
};

function rowOf(repository: string, service: ExternalService, today: string): ServiceRow {
  const { name, mode, production, development, review, secrets } = service;
  return {
    repository,
    name,
    preview: mode,
    ...(production === undefined ? {} : { production }),
    ...(development === undefined ? {} : { development }),
    ...(review === undefined ? {} : { review }),
    overdue: review !== undefined && review < today,
    secrets: takesKeys(mode) ? [...new Set(Object.values(secrets))].sort() : [],
  };
}

function faultsOf(repository: string, read: ApplicationRead): readonly ServiceWarning[] {
  if (read.kind !== "found") {
    return [{ kind: "unread", message: `what "${repository}" uses is not known: ${read.message.replace(/\.$/, "")}` }];
  }
  return unnamed(read.application).map((secret) => ({
    kind: "unnamed",
    message: `"${repository}" is granted ${secret}, and its preview.yaml names no external service that it is for`,
  }));
}

/** Where the file has no `external` at all; with one, it is an error of the file. */
function unnamed({ external, grantedSecrets }: ApplicationConfig): readonly string[] {
  return external ? [] : grantedSecrets;
}
