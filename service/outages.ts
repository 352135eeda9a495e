/** What Stackling leans on, for `doctor`: each part that is away by its condition, with the way out. */
import { StacklingError } from "../components/errors.ts";
import type { Finding } from "../components/ports.ts";
import { type Away, findAway, type ReadinessChecks } from "./api/health.ts";

const BY_ITSELF = "everything goes on by itself when it is back";

const REMEDIES: Readonly<Record<string, string>> = {
  StoreUnavailable: `start the store's Postgres, or mend \`store\` in stackling.yaml; ${BY_ITSELF}`,
  DatabaseFailed: `start the previews' Postgres server, or mend the target's options; ${BY_ITSELF}`,
  BackendUnavailable: `bring the state backend back, or mend \`backend\` and its credentials (\`engineEnvironment\`); ${BY_ITSELF}`,
  DiskFull: `free some room, take previews down, or lower \`limits.diskFreeMiB\`; previews sleep and go meanwhile, and ${BY_ITSELF}`,
  DiskReadOnly: `mount it for writing and mend its rights (dmesg tells of a broken disk); ${BY_ITSELF}`,
  EngineMissing: `put the Pulumi engine back in its place (npm start gets one); ${BY_ITSELF}`,
  Unreachable: `see whether the forge is up and its token still good; nothing is removed meanwhile, and ${BY_ITSELF}`,
};

/** A finding for each part that is away, and one for all that are not. */
export async function outageFindings(checks: ReadinessChecks): Promise<readonly Finding[]> {
  const away = await findAway(checks);
  const names = Object.keys(checks).filter((name) => !away.some((part) => part.name === name));
  return [...(names.length > 0 ? [{ ok: true, what: `these answer: ${names.join(", ")}` }] : []), ...away.map(finding)];
}

function finding({ name, reason, error }: Away): Finding {
  const words = error instanceof StacklingError ? error.userMessage : "it does not answer";
  // Where on this machine stands in the cause, for it is no public matter.
  const isOfDisk = reason === "DiskFull" || reason === "DiskReadOnly";
  const place = isOfDisk && error instanceof StacklingError && error.cause instanceof Error ? error.cause.message : "";
  return {
    ok: false,
    what: `${reason} (${name}): ${words}${place && `; ${place}`}`,
    remedy: REMEDIES[reason] ?? BY_ITSELF,
  };
}
