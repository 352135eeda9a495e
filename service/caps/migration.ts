/** Tables of the caps. A stored column, so that an older replica beside us keeps it right without knowing it. */
export const SEATS: readonly string[] = [
  `alter table preview add column serves boolean generated always as
     (status->'live' is not null and status->'awake' = 'true'::jsonb) stored`,
  `create table seat (
     key text primary key, since timestamptz not null, granted_at timestamptz)`,
];
