/** What became of a database's schema since the preview got it. Reading it fails no update. */
import { gunzipSync, gzipSync } from "node:zlib";
import type { LocalResource, ResourceContext } from "./resource.ts";
import { diffSchemas, type SchemaDiff } from "./schema-diff.ts";
import { readSchema, type SchemaRead } from "./schema-read.ts";

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
    const found = await attempt(context, () => readSchema(url, { signal: context.signal }));
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
  if (since === undefined) return { key };
  const diff = await attempt(context, async () => {
    const { home, objects } = unpack(since);
    const found = await readSchema(url, { home, signal: context.signal });
    return found && diffSchemas(objects, found.objects);
  });
  return { key, ...(diff ? { diff } : {}) };
}

async function attempt<T>({ signal, log }: ResourceContext, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    signal.throwIfAborted();
    log("the database's schema could not be read, so that nothing is said of what changed in it");
    return undefined;
  }
}

function pack({ home, objects }: SchemaRead): string {
  const rows = objects.map(({ kind, table, name, says }) => [kind, table, name, says]);
  return gzipSync(JSON.stringify({ home, rows })).toString("base64");
}

/** Of what `pack` made, out of the stack's own state. */
function unpack(packed: string): SchemaRead {
  const { home, rows } = JSON.parse(gunzipSync(Buffer.from(packed, "base64")).toString()) as {
    home: string;
    rows: [string, string, string, string][];
  };
  return { home, objects: rows.map(([kind, table, name, says]) => ({ kind, table, name, says })) };
}
