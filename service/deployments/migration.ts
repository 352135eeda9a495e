/** Tables of deployments and what they said. */
export const DEPLOYMENTS: readonly string[] = [
  `create table deployment (
     id bigint generated always as identity primary key, key text not null, kind text not null, commit_sha text,
     cause text not null, at timestamptz not null, ended_at timestamptz, outcome text not null default 'running',
     reason text, message text, steps jsonb not null, lines integer not null default 0)`,
  `create index deployment_key on deployment (key, id desc)`,
  `create table deployment_output (
     deployment bigint not null references deployment (id) on delete cascade, first integer not null,
     last integer not null, lines jsonb not null, primary key (deployment, first))`,
];
