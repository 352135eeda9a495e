/** As root every preview runs under a numeric user of its own, so that no application reads another's files or ours. */
import { createHash } from "node:crypto";
import { withFileLock } from "./file-lock.ts";
import { readJson, removeHalves, writeJson } from "./json-file.ts";
import { layout } from "./layout.ts";

export const FIRST_USER = 300_000;
/** Users of one data folder; as many slots lie beside each other, so that two Stacklings on a machine share none. */
const COUNT = 10_000;
const SLOTS = 10_000;

interface UserFile {
  /** Goes on rising, so that a number freed a moment ago is not at once somebody else's. */
  readonly next?: number;
  readonly users: Readonly<Record<string, number>>;
}

/** True where the operating system lets us run as somebody else. */
export function canSwitchUser(): boolean {
  return process.getuid?.() === 0;
}

/** The user of `owner` (a stack, or an install), made at the first asking; undefined when not root. */
export async function allocateUser(dataDir: string, owner: string): Promise<number | undefined> {
  if (!canSwitchUser()) return undefined;
  return withUsers(dataDir, async (file) => {
    const known = file.users[owner];
    if (known !== undefined) return { result: known };
    const taken = new Set(Object.values(file.users));
    const first = firstOf(dataDir);
    // The last is the builders' group.
    const after = (user: number) => first + ((user + 1 - first) % (COUNT - 1));
    let user = file.next ?? first;
    while (taken.has(user)) user = after(user);
    return { result: user, file: { next: after(user), users: { ...file.users, [owner]: user } } };
  });
}

/** Not known any more is success. */
export async function freeUser(dataDir: string, owner: string): Promise<void> {
  if (!canSwitchUser()) return;
  await withUsers(dataDir, async (file) => {
    const { [owner]: freed, ...users } = file.users;
    return { result: undefined, ...(freed !== undefined && { file: { ...file, users } }) };
  });
}

/** Group of whatever installs and builds, which tells it from a preview's services where both are one user's. */
export function builderGroup(dataDir: string): number {
  return firstOf(dataDir) + COUNT - 1;
}

/** Every user by owner. */
export async function listUsers(dataDir: string): Promise<Readonly<Record<string, number>>> {
  return (await readJson<UserFile>(layout(dataDir).users))?.users ?? {};
}

async function withUsers<T>(
  dataDir: string,
  change: (file: UserFile) => Promise<{ readonly result: T; readonly file?: UserFile }>,
): Promise<T> {
  const path = layout(dataDir).users;
  return withFileLock(`${path}.lock`, async () => {
    const { result, file } = await change((await readJson<UserFile>(path)) ?? { users: {} });
    if (!file) return result;
    // They name previews, and no preview's end would take them along.
    await removeHalves(path);
    await writeJson(path, file);
    return result;
  });
}

function firstOf(dataDir: string): number {
  return FIRST_USER + (createHash("sha256").update(dataDir).digest().readUInt32BE() % SLOTS) * COUNT;
}
