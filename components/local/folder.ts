/** A preview's folder and user: made first, removed last, with whatever is left of the preview by then. */
import { chmod, chown, mkdir, stat } from "node:fs/promises";
import { TerminalError } from "../errors.ts";
import { releaseEgress } from "./egress.ts";
import { endUser } from "./end-user.ts";
import { OWNER_MARK } from "./environment.ts";
import { layout, prepareDataDir } from "./layout.ts";
import { listLimits } from "./limits.ts";
import { isReachable } from "./node-runtime.ts";
import { endTrees, findMarked } from "./processes.ts";
import { removeTree } from "./remove-tree.ts";
import type { LocalResource } from "./resource.ts";
import { endGroup } from "./usage.ts";
import { allocateUser, canSwitchUser, freeUser, listUsers } from "./users.ts";

export interface FolderState {
  readonly path: string;
}

export const folderResource: LocalResource<object, FolderState> = {
  type: "stackling:local:Folder",
  diff: () => ({ changes: false, replaces: [] }),
  async create(context) {
    await context.admit();
    const path = await makePreviewFolder(context.settings.dataDir, context.stack);
    return { id: context.stack, state: { path } };
  },
  async read(_context, _id, state) {
    return stat(state.path).then(
      () => state,
      () => undefined,
    );
  },
  async delete(context) {
    await removePreviewFolder(context.settings.dataDir, context.stack);
  },
};

/** Idempotent; heals the owner and rights of what is there. */
async function makePreviewFolder(dataDir: string, stack: string): Promise<string> {
  await prepareDataDir(dataDir);
  const paths = layout(dataDir);
  const preview = paths.preview(stack);
  const user = await allocateUser(dataDir, stack);
  if (canSwitchUser() && !(await isReachable(paths.previews))) {
    throw new TerminalError({
      reason: "SpecInvalid",
      userMessage: `making a folder for "${stack}": the data folder "${dataDir}" lies where the previews' users cannot reach it; choose one outside of private folders`,
    });
  }
  // The application passes through the first two and owns the last two only, or it could put
  // a folder of its own in the place of our routes.
  for (const folder of [preview.folder, preview.checkouts]) {
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o710);
    if (user !== undefined) await chown(folder, 0, user);
  }
  for (const folder of [preview.services, preview.logs, preview.routes]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  for (const folder of [preview.home, preview.tmp]) {
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o700);
    if (user !== undefined) await chown(folder, user, user);
  }
  return preview.folder;
}

/** Ends every process of the preview, whatever it calls itself, and leaves no file. Gone already is success. */
export async function removePreviewFolder(dataDir: string, stack: string): Promise<void> {
  const user = (await listUsers(dataDir))[stack];
  const { folder } = layout(dataDir).preview(stack);
  const others = async () =>
    (await findMarked(OWNER_MARK, (owner) => owner.startsWith(`${folder}/`))).map(({ pid }) => pid);
  if (user !== undefined) await endUser(user);
  await endTrees([], { drainMs: 2_000, others });
  for (const { name } of await listLimits(dataDir, stack)) await endGroup(dataDir, stack, name);
  await releaseEgress(dataDir, stack);
  await removeTree(folder);
  await freeUser(dataDir, stack);
}
