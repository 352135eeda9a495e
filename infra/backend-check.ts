import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { StacklingError } from "../components/errors.ts";
import { folderOf } from "./backend.ts";
import { outageIn } from "./engine-outages.ts";
import type { Stacks } from "./stacks.ts";

const DOING = "asking the state backend";

export interface BackendCheckDeps {
  /** Pulumi backend URL. */
  readonly backendUrl: string;
  readonly stacks: Pick<Stacks, "list">;
  /** Tells the probes of replicas over one folder apart. */
  readonly name: string;
}

/**
 * Resolves when state can be written: in a folder a probe file is written through to the disk and removed,
 * every other kind is asked for its stacks (one CLI process). Rejects with `StacklingError`: `DiskFull`,
 * `DiskReadOnly` or `BackendUnavailable`.
 */
export function createBackendCheck({ backendUrl, stacks, name }: BackendCheckDeps): () => Promise<void> {
  const folder = folderOf(backendUrl);
  return async () => {
    try {
      if (folder === undefined) await stacks.list();
      else await probe(folder, name);
    } catch (error) {
      if (error instanceof StacklingError && error.reason !== "EngineFailed") throw error;
      const text = error instanceof Error ? error.message : String(error);
      throw (
        outageIn(text, DOING, error) ??
        new StacklingError({ reason: "BackendUnavailable", userMessage: `${DOING}: it does not answer`, cause: error })
      );
    }
  };
}

async function probe(folder: string, name: string): Promise<void> {
  // Beside stacks and locks, where no engine looks.
  const probes = join(folder, ".stackling-probes");
  await mkdir(probes, { recursive: true });
  const file = join(probes, name);
  const handle = await open(file, "w", 0o600);
  try {
    await handle.write("probe");
    await handle.sync();
  } finally {
    await handle.close();
    await rm(file, { force: true });
  }
}
