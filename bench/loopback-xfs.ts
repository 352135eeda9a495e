import { chmod, mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";

const SIZE_BYTES = 8 * 1024 ** 3;
const SBIN = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

/**
 * Runs `work` on a fresh XFS with reflinks in a sparse file on this machine's own disk, and takes it down
 * afterwards whatever happens. Returns the reason as a string where the machine cannot (no root, no xfsprogs, no loop device).
 */
export async function onLoopbackXfs<T>(work: (folder: string) => Promise<T>): Promise<T | string> {
  if (process.getuid?.() !== 0) return "only root can mount a file system";
  const home = await mkdtemp(join(tmpdir(), "stackling-xfs-"));
  const [image, folder] = [join(home, "image"), join(home, "mount")];
  let mounted = false;
  try {
    const file = await open(image, "w");
    await file.truncate(SIZE_BYTES);
    await file.close();
    await mkdir(folder);
    await chmod(home, 0o711);
    await execa("mkfs.xfs", ["-q", "-m", "reflink=1", image], { env: SBIN });
    await execa("mount", ["-o", "loop", image, folder], { env: SBIN });
    mounted = true;
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    return error instanceof Error ? (error.message.split("\n")[0] ?? "it cannot be mounted") : String(error);
  }
  try {
    return await work(folder);
  } finally {
    if (mounted) await execa("umount", [folder], { env: SBIN });
    await rm(home, { recursive: true, force: true });
  }
}
