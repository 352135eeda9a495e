/** What a database holds of people's own, as conditions of a query on its catalog. */

/** Of a schema, where `n` is a row of `pg_namespace`: neither the system's nor a session's. */
export const OF_PEOPLE = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'";

/** Of a row of a system catalog, such as `pg_class`: no extension brought it. */
export function ofNoExtension(catalog: string, oid: string): string {
  return `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${catalog}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`;
}
