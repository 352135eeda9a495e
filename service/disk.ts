import { access, constants, statfs } from "node:fs/promises";
import { StacklingError } from "../components/errors.ts";
import { layout } from "../components/local/layout.ts";

const MIB = 1024 * 1024;
/** What must be free by default: so much, or this part of a small disk. */
const DEFAULT_FREE = { mib: 1024, part: 0.05 };

export interface DiskDeps {
  /** Absolute. */
  readonly dataDir: string;
  /** `limits.diskFreeMiB`; undefined: 1 GiB, or 5 % of a smaller disk. */
  readonly freeMiB?: number | undefined;
}

/**
 * Resolves while every disk that the data folder lies on can be written and has room for a further build.
 * Rejects with `StacklingError` (`DiskFull`, `DiskReadOnly`); which folder it is stands in `cause` alone,
 * for the message reaches pull requests.
 */
export function createDiskCheck({ dataDir, freeMiB }: DiskDeps): () => Promise<void> {
  const { root, state, previews, mirrors, installCache, engineRuns, pulumiHome, postgres } = layout(dataDir);
  const folders = [root, state, previews, mirrors, installCache, engineRuns, pulumiHome, postgres];
  return async () => {
    for (const folder of folders) await checkFolder(folder, freeMiB);
  };
}

async function checkFolder(folder: string, freeMiB: number | undefined): Promise<void> {
  try {
    await access(folder, constants.W_OK);
    const disk = await statfs(folder);
    const total = disk.blocks * disk.bsize;
    const free = disk.bavail * disk.bsize;
    const needed = freeMiB === undefined ? Math.min(DEFAULT_FREE.mib * MIB, total * DEFAULT_FREE.part) : freeMiB * MIB;
    const isFull = free < needed || (disk.files > 0 && disk.ffree === 0);
    if (!isFull) return;
    // No figure that changes: it stands in a comment.
    const userMessage =
      free < needed
        ? `the service's disk is nearly full: less than ${inMiB(needed)} MiB are free`
        : "the service's disk has no room for another file";
    const cause = new Error(`${inMiB(free)} MiB are free in "${folder}"`);
    throw new StacklingError({ reason: "DiskFull", userMessage, cause });
  } catch (error) {
    if (error instanceof StacklingError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    const userMessage = `the service's disk cannot be written (${code ?? "unknown"})`;
    throw new StacklingError({ reason: "DiskReadOnly", userMessage, cause: new Error(`in "${folder}"`) });
  }
}

function inMiB(bytes: number): string {
  const mib = bytes / MIB;
  return mib >= 10 ? String(Math.round(mib)) : mib.toFixed(1);
}
