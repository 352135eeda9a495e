/** What became of a database's schema since the preview got it. Reading it fails no update. */
import { gunzipSync, gzipSync } from "node:zlib";
import type { LocalResource, ResourceContext } from "./resource.ts";
import { diffSchemas, type SchemaDiff, type SchemaObject } from "./schema-diff.ts";
import { readSchema } from "./schema-read.ts";

export interface SchemaInputs {
  /** Secret. Of the preview's own role, so that no more is read than that may see. */
  readonly url: string;
  /** Identity of the database. */
  readonly of: string;
}

export interface SchemaState extends Pick<SchemaInputs, "of"> {
  /** The schema, packed; undefined where it could not be read. */
  readonly packed?: string;
}

/** `stackling:local:Schema`: how a database was when it was made. Declared before anything migrates it. */
export const schemaResource: LocalResource<SchemaInputs, SchemaState> = {
  type: "stackling:local:Schema",
  diff: (state, { of }) => (state.of === of ? UNCHANGED : { changes: true, replaces: ["of"] }),
  async create(context, { url, of }) {
    const found = await attempt(context, url);
    return { id: "schema", state: { of, ...(found ? { packed: pack(found) } : {}) } };
  },
  read: async (_context, _id, state) => state,
  delete: async () => undefined,
};

export interface SchemaChangesInputs extends Pick<SchemaInputs, "url"> {
  /** `packed` of the schema that it is compared with. */
  readonly since?: string | undefined;
  /** Read again when it changes: what may have migrated the database. */
  readonly key: string;
}

export interface SchemaChangesState extends Pick<SchemaChangesInputs, "key"> {
  /** Undefined where either could not be read. */
  readonly diff?: SchemaDiff;
}

/** `stackling:local:SchemaChanges`. Declared behind what migrates the database. */
export const schemaChangesResource: LocalResource<SchemaChangesInputs, SchemaChangesState> = {
  type: "stackling:local:SchemaChanges",
  diff: (state, { key }) => (state.key === key ? UNCHANGED : { changes: true, replaces: [] }),
  create: async (context, inputs) => ({ id: "changes", state: await compare(context, inputs) }),
  update: (context, _id, _state, inputs) => compare(context, inputs),
  read: async (_context, _id, state) => state,
  delete: async () => undefined,
};

const UNCHANGED = { changes: false, replaces: [] } as const;

async function compare(
  context: ResourceContext,
  { url, since, key }: SchemaChangesInputs,
): Promise<SchemaChangesState> {
  const found = since === undefined ? undefined : await attempt(context, url);
  return { key, ...(found && since !== undefined ? { diff: diffSchemas(unpack(since), found) } : {}) };
}

async function attempt({ signal, log }: ResourceContext, url: string) {
  try {
    return await readSchema(url, signal);
  } catch {
    signal.throwIfAborted();
    log("the database's schema could not be read, so that nothing is said of what changed in it");
    return undefined;
  }
}

function pack(objects: readonly SchemaObject[]): string {
  const rows = objects.map(({ kind, table, name, says }) => [kind, table, name, says]);
  return gzipSync(JSON.stringify(rows)).toString("base64");
}

/** Of what `pack` made, out of the stack's own state. */
function unpack(packed: string): readonly SchemaObject[] {
  const rows = JSON.parse(gunzipSync(Buffer.from(packed, "base64")).toString()) as [string, string, string, string][];
  return rows.map(([kind, table, name, says]) => ({ kind, table, name, says }));
}
