import { mkdir, statfs } from "node:fs/promises";
import { execa } from "execa";

/** A small disk of its own in memory, mounted over a folder; root only. */
export interface Mount {
  readonly folder: string;
  /** Leaves so many bytes of room; none at all by default. */
  fill(leave?: number): Promise<void>;
  free(): Promise<void>;
  setWritable(writable: boolean): Promise<void>;
  unmount(): Promise<void>;
}

const TRIES = 20;

/** @param options.mode Of the folder, as `chmod` takes it. */
export async function mountMemory(
  folder: string,
  { mib, mode }: { readonly mib: number; readonly mode: string },
): Promise<Mount> {
  await mkdir(folder, { recursive: true });
  await execa("mount", ["-t", "tmpfs", "-o", `size=${mib}m,mode=${mode}`, "stackling-disk", folder]);
  const remount = (options: string) => execa("mount", ["-o", `remount,${options}`, folder]);
  return {
    folder,
    // Shrunk to what is used: no file of ours lies between the service's own.
    async fill(leave = 0) {
      for (let left = TRIES; ; left--) {
        const { blocks, bfree, bsize } = await statfs(folder);
        const { failed } = await execa("mount", ["-o", `remount,size=${(blocks - bfree) * bsize + leave}`, folder], {
          reject: false,
        });
        if (!failed) return;
        if (left === 0) throw new Error(`filling "${folder}": it is written to all the time`);
      }
    },
    free: async () => void (await remount(`size=${mib}m`)),
    setWritable: async (writable) => void (await remount(writable ? "rw" : "ro")),
    // Lazily: a process that a failed run left may stand in it.
    unmount: async () => void (await execa("umount", ["--lazy", folder])),
  };
}
