import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * Where an instance keeps everything unless it is told otherwise: `/var/lib/stackling` for root, else
 * by the XDG rules (specifications.freedesktop.org/basedir-spec: relative values are ignored).
 */
export function defaultDataDir({
  isRoot = process.getuid?.() === 0,
  environment = process.env,
}: {
  readonly isRoot?: boolean;
  readonly environment?: NodeJS.ProcessEnv;
} = {}): string {
  if (isRoot) return "/var/lib/stackling";
  const chosen = environment.XDG_DATA_HOME;
  const base = chosen && isAbsolute(chosen) ? chosen : join(homedir(), ".local", "share");
  return join(base, "stackling");
}
