/**
 * Tables of what is told elsewhere: `told` is what each place heard last of a preview, `hook_delivery` what is still
 * to be sent. A delivery stays until somebody took it, and some days longer.
 */
export const HOOKS: readonly string[] = [
  `create table told (
     place text not null, key text not null, body jsonb not null, at timestamptz not null default now(),
     primary key (place, key))`,
  `create table hook_delivery (
     id uuid primary key, hook text not null, key text not null, event text not null, body jsonb not null,
     at timestamptz not null default now(), due_at timestamptz default now(), attempts integer not null default 0,
     delivered_at timestamptz, failed_at timestamptz, answer text)`,
  `create index hook_delivery_due on hook_delivery (due_at) where due_at is not null`,
];
