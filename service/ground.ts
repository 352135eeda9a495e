/** What every preview stands on: the state backend, and this machine's disk. */
import { layout } from "../components/local/layout.ts";
import { createBackendCheck } from "../infra/backend-check.ts";
import type { Stacks } from "../infra/stacks.ts";
import type { OperatorConfig } from "./config/types.ts";
import { createDiskCheck } from "./disk.ts";
import { remembering } from "./remembering.ts";

/** Both reject with `StacklingError` while it is away, and may be asked as often as one likes. */
export interface Ground {
  /** `BackendUnavailable`, `DiskFull` or `DiskReadOnly`. */
  readonly backend: () => Promise<void>;
  /** `DiskFull` or `DiskReadOnly`. */
  readonly disk: () => Promise<void>;
}

export interface GroundDeps {
  readonly config: Pick<OperatorConfig, "backend" | "limits">;
  /** Absolute. */
  readonly dataDir: string;
  readonly stacks: Pick<Stacks, "list">;
  /** Name of this instance. */
  readonly instanceId: string;
}

const DISK_FRESH_MS = { good: 1_000, bad: 1_000 };
const FOLDER_FRESH_MS = { good: 5_000, bad: 1_000 };
/** Far away, and asking is a process. */
const BACKEND_FRESH_MS = { good: 30_000, bad: 5_000 };

export function createGround({ config, dataDir, stacks, instanceId }: GroundDeps): Ground {
  const backendUrl = config.backend ?? `file://${layout(dataDir).state}`;
  const fresh = backendUrl.startsWith("file://") ? FOLDER_FRESH_MS : BACKEND_FRESH_MS;
  return {
    backend: remembering(fresh, createBackendCheck({ backendUrl, stacks, name: instanceId })),
    disk: remembering(DISK_FRESH_MS, createDiskCheck({ dataDir, freeMiB: config.limits.diskFreeMiB })),
  };
}
