/** A preview's database: what it is made of, what migrations changed, and what makes it anew. */
import type { PreviewSpec } from "../../infra/spec.ts";
import type { PreviewView } from "../api/preview-view.ts";
import { type Html, html } from "../html.ts";
import type { Session } from "../session.ts";
import { verbButtons } from "./forms.ts";
import { schemaList } from "./schema-section.ts";
import { seedForm } from "./seed-section.ts";
import { untilMinute } from "./times.ts";

export interface DatabaseSection {
  readonly view: PreviewView;
  /** What serves. */
  readonly live: PreviewSpec | undefined;
  readonly session?: Session;
  readonly now: Date;
}

/** Nothing where there is none. */
export function databaseSection({ view, live, session, now }: DatabaseSection): Html {
  const { database, schema, scenario, loginValidUntil, stage } = view;
  const isNone = database === undefined && schema === undefined && live?.database === undefined;
  if (isNone || stage === "Gone") return html``;
  const strategy = live?.target.database?.driver;
  const facts: readonly (readonly [string, Html] | false | undefined)[] = [
    database !== undefined && ["Database branch", html`<code>${database}</code>`],
    strategy !== undefined && [
      "Strategy",
      html`${strategy === "clone" && live?.database?.baseline === undefined ? BEGUN_EMPTY : (STRATEGIES[strategy] ?? strategy)}`,
    ],
    live?.database?.baseline !== undefined && ["Baseline", html`<code>${live.database.baseline}</code>`],
    scenario !== undefined && ["Seeded with", html`<code>${scenario}</code>`],
    live?.database?.migrate && ["Migrations", html`<code>${live.database.migrate.command}</code>`],
    live?.database?.seed && ["Seeds", html`<code>${live.database.seed.command}</code>`],
    loginValidUntil !== undefined && ["Login renewed before", untilMinute(loginValidUntil, now)],
  ];
  const shown = facts.filter((fact) => fact !== undefined && fact !== false);
  return html`<section class="card" id="database"><h2>Database</h2><dl class="facts">${shown.map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>
${session && verbButtons(view, session, ["reset-db", "rotate"])}${session && seedForm(view, session)}
${schemaList(view)}</section>`;
}

/** A copy of nothing. */
const BEGUN_EMPTY = "one of its own, begun empty";

/** As people say them. */
const STRATEGIES: Readonly<Record<string, string>> = {
  clone: "a copy of the baseline",
  empty: "empty, then migrated and seeded",
  schema: "a schema of its own on a shared server",
  snapshot: "restored from a masked dump",
  neon: "a branch at Neon",
  planetscale: "a branch at PlanetScale",
  supabase: "a branch at Supabase",
  shared: "one development database for all",
  replica: "a replica that can only be read",
};
