/** Flag definitions as a file that a preview's processes may read and not write. */
import { createHash } from "node:crypto";
import { chmod, chown, mkdir, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { replaceFile } from "./json-file.ts";
import { layout } from "./layout.ts";
import type { LocalResource, ResourceContext } from "./resource.ts";
import { allocateUser } from "./users.ts";

export interface FlagsInputs {
  /** Of the file. */
  readonly text: string;
}

export interface FlagsState extends FlagsInputs {
  /** Absolute. */
  readonly path: string;
}

/** Each content is a file of its own: while a new version starts, the one that serves keeps reading its flags. */
export const flagsResource: LocalResource<FlagsInputs, FlagsState> = {
  type: "stackling:local:Flags",
  diff: (state, inputs) => ({
    changes: state.text !== inputs.text,
    replaces: state.text === inputs.text ? [] : ["text"],
  }),
  async create(context, { text }) {
    const path = fileOf(context, text);
    const user = await allocateUser(context.settings.dataDir, context.stack);
    await context.admit();
    await mkdir(dirname(path), { recursive: true });
    await share(dirname(path), 0o710, user);
    await replaceFile(path, text);
    await share(path, 0o640, user);
    return { id: digestOf(text), state: { text, path } };
  },
  async read(_context, _id, state) {
    const found = await readFile(state.path, "utf8").catch(() => undefined);
    return found === state.text ? state : undefined;
  },
  delete: async (context, _id, { text }) => rm(fileOf(context, text), { force: true }),
};

/** Ours, to be read by the preview's user where it has one. */
async function share(path: string, mode: number, user: number | undefined): Promise<void> {
  if (user !== undefined) await chown(path, 0, user);
  await chmod(path, mode);
}

function fileOf({ settings, stack }: ResourceContext, text: string): string {
  return layout(settings.dataDir).preview(stack).flags(digestOf(text));
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
