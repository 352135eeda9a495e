/** Which scenario a preview's database is seeded with: a person's word, else a label's, else preview.yaml's. Pure. */
import type { PreviewSpec } from "../infra/spec.ts";
import type { ApplicationDatabase } from "./config/application-database.ts";
import type { ApplicationConfig } from "./config/application-types.ts";
import { closest } from "./config/closest.ts";
import type { Intents } from "./intents.ts";
import type { Preview } from "./status.ts";
import { raised } from "./wishes.ts";

/** Before the name in a label: `seed:archived`. */
const LABEL = /^seed:(.*)$/i;
const SHOWN_OF_A_WORD = 40;

/** What persons wished of the seed, and what came of it. */
export interface SeedWish {
  /** A person's choice: before any label's word. */
  readonly said?: string;
  /** The scenario that the database's generation stands for, and on whose word. */
  readonly filled?: Chosen;
}

export interface Chosen {
  readonly scenario: string;
  readonly by: "person" | "label" | "default";
}

type Declared = Pick<ApplicationDatabase, "scenario" | "scenarios">;

interface Said {
  /** Of the pull request. */
  readonly labels: readonly string[];
  readonly seeds: SeedWish | undefined;
  /** What serves, where the store may have been lost since. */
  readonly live: Pick<PreviewSpec, "database"> | undefined;
}

/**
 * Undefined where there are none to choose from. A default counts when a database is made: one that is seeded keeps
 * its scenario when preview.yaml names another default, so that a merge empties nobody's preview.
 */
export function scenarioFor(declared: Declared, { labels, seeds, live }: Said): Chosen | undefined {
  const names = Object.keys(declared.scenarios ?? {});
  const [first] = names;
  if (first === undefined) return undefined;
  const isKnown = (name: string | undefined): name is string => name !== undefined && names.includes(name);
  if (isKnown(seeds?.said)) return { scenario: seeds.said, by: "person" };
  const labelled = labels.map(namedBy).find(isKnown);
  if (labelled !== undefined) return { scenario: labelled, by: "label" };
  const before = filledWith({ seeds, live });
  if (before?.by === "default" && isKnown(before.scenario)) return before;
  return { scenario: declared.scenario ?? first, by: "default" };
}

/**
 * What is wished once the scenario is known: another one than the database was made for raises the database's
 * generation, once, so that it is made anew, migrated and seeded.
 */
export function wishedForScenario(
  { intents, status, pullRequest }: Pick<Preview, "intents" | "status" | "pullRequest">,
  { database }: Pick<ApplicationConfig, "database">,
): Intents {
  const { live, goneAt } = status;
  // What a life's database was filled with went with it.
  const seeds = goneAt === undefined ? intents.seeds : { ...intents.seeds, filled: undefined };
  if (live?.database?.shared) return intents;
  const chosen = database && scenarioFor(database, { labels: pullRequest?.labels ?? [], seeds, live });
  if (!chosen) return intents;
  const before = filledWith({ seeds, live });
  const noted = { ...intents, seeds: { ...seeds, filled: chosen } };
  if (before?.scenario === chosen.scenario) return seeds?.filled?.by === chosen.by ? intents : noted;
  // Its first database, or one that was seeded before there was a choice.
  if (!before && (!live?.database || chosen.by === "default")) return noted;
  const { generations = intents.generations } = raised({ intents }, "database");
  return { ...noted, generations };
}

/** A person's choice: a new database also where it is the scenario that is there already. */
export function scenarioSaid(preview: Pick<Preview, "intents">, scenario: string): Partial<Intents> {
  return {
    ...raised(preview, "database"),
    seeds: { ...preview.intents.seeds, said: scenario, filled: { scenario, by: "person" } },
  };
}

/** Why it cannot be chosen, as the rest of a sentence; undefined when it can. */
export function scenarioFault(names: readonly string[], scenario: string): string | undefined {
  if (names.includes(scenario)) return undefined;
  if (names.length === 0) return "`preview.yaml` has no scenarios, and `seed` without one runs its one seed";
  const meant = closest(scenario, names);
  const near = meant === undefined ? "" : `; the nearest is \`${meant}\``;
  return `there is no scenario \`${shown(scenario)}\`; there are ${names.map((name) => `\`${name}\``).join(", ")}${near}`;
}

/** What labels say of scenarios that cannot be: a sentence each. */
export function scenarioFaults(database: PreviewSpec["database"], labels: readonly string[]): readonly string[] {
  const said = labels.map(namedBy).filter((name) => name !== undefined);
  const names = database?.scenarios ?? [];
  const chosen = said.find((name) => names.includes(name));
  return said.flatMap((name) => {
    const nothing = `The label \`seed:${shown(name)}\` does nothing:`;
    if (database?.shared) return [`${nothing} the database is not the preview's own.`];
    const fault = scenarioFault(names, name);
    if (fault !== undefined) return [`${nothing} ${fault}.`];
    return name === chosen ? [] : [`${nothing} \`seed:${chosen}\` is there too.`];
  });
}

/** After the loss of the store only what serves is known: whose word it was is not, and nobody's data go for that. */
function filledWith({ seeds, live }: Omit<Said, "labels">): Chosen | undefined {
  const scenario = live?.database?.scenario;
  return seeds?.filled ?? (scenario === undefined ? undefined : { scenario, by: "default" });
}

function namedBy(label: string): string | undefined {
  return LABEL.exec(label.trim())?.[1]?.trim();
}

/** A stranger's word as it may stand in code. */
function shown(word: string): string {
  const plain = word.replace(/[^\w-]/g, "");
  return plain.length <= SHOWN_OF_A_WORD ? plain || "…" : `${plain.slice(0, SHOWN_OF_A_WORD)}…`;
}
