/** `database.scenarios` of preview.yaml: what may be typed, what it means, and what a schema cannot say of it. */
import { z } from "zod";
import type { BuildStep } from "../../components/ports.ts";
import type { ApplicationConfig } from "./application-types.ts";
import { closest } from "./closest.ts";
import type { Misfit } from "./yaml-file.ts";

/** As far as labels, comments and environments take a text alike. */
const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/,
    "must be letters, digits, dashes and underscores, no dash first, at most 40",
  );

/** `step` is what any command of the file may be. */
export function scenariosSchema<S extends z.ZodType>(step: S) {
  const own = z
    .union([step, z.boolean(), z.null()])
    .describe("What fills it: a command, `true` for `seed`, or `false` for nothing at all.");
  return z
    .union([z.array(name).min(1, "must hold a name"), z.record(name, own)])
    .describe(
      "Seeds to choose from: names, for each of which `seed` runs with the name in SEED_SCENARIO, or name to command. The label `seed:NAME` or `/preview seed NAME` chooses one.",
    );
}

export const scenarioSchema = name.describe("The scenario of a new preview. Default: the first of `scenarios`.");

type Typed<S> = readonly string[] | Readonly<Record<string, S | boolean | null>>;

/** Every scenario with its command. */
export function toScenarios<S>(
  typed: Typed<S>,
  { seed, toStep }: { readonly seed: BuildStep | undefined; readonly toStep: (step: S) => BuildStep },
): Readonly<Record<string, BuildStep | null>> {
  if (isNames(typed)) return Object.fromEntries(typed.map((one) => [one, seed ?? null]));
  return Object.fromEntries(
    Object.entries(typed).map(([one, step]) => {
      if (step === true) return [one, seed ?? null];
      return [one, step === false || step === null ? null : toStep(step)];
    }),
  );
}

/** How scenarios fit what is typed beside them, and the environment of the services. */
export function checkScenarios(
  typed: { readonly seed?: unknown; readonly scenario?: string; readonly scenarios?: Typed<unknown> },
  services: ApplicationConfig["services"],
): readonly Misfit[] {
  const { seed, scenario, scenarios } = typed;
  const at = (key: string, message: string): Misfit => ({ path: ["database", key], message });
  if (scenarios === undefined) {
    return scenario === undefined ? [] : [at("scenario", `"database.scenario" needs "scenarios" to choose from`)];
  }
  const names = isNames(scenarios) ? scenarios : Object.keys(scenarios);
  const runsSeed = isNames(scenarios) || Object.values(scenarios).includes(true);
  const taken = services.find(({ environment }) => Object.hasOwn(environment, SCENARIO_VARIABLE));
  return [
    ...(names.length === 0 ? [at("scenarios", `"database.scenarios" must hold a name`)] : []),
    ...(runsSeed && seed === undefined
      ? [at("scenarios", `"database.scenarios" are run by "seed", and there is none: add it, or give each a command`)]
      : []),
    ...(!runsSeed && seed !== undefined
      ? [at("seed", `"database.seed" is run by no scenario; write "NAME: true" for the one that it is`)]
      : []),
    ...(scenario !== undefined && !names.includes(scenario)
      ? [
          at(
            "scenario",
            `"database.scenario" names "${scenario}", which is none of "scenarios"${hint(scenario, names)}`,
          ),
        ]
      : []),
    ...(taken
      ? [
          {
            path: ["services", taken.name, "env", SCENARIO_VARIABLE],
            message: `service "${taken.name}": ${SCENARIO_VARIABLE} is set by Stackling where there are scenarios`,
          },
        ]
      : []),
  ];
}

/** Holds the name of the scenario in every process of a preview that has one. */
const SCENARIO_VARIABLE = "SEED_SCENARIO";

function isNames<S>(typed: Typed<S>): typed is readonly string[] {
  return Array.isArray(typed);
}

function hint(scenario: string, names: readonly string[]): string {
  const meant = closest(scenario, names);
  return meant === undefined ? `; there are ${names.join(", ")}` : `; did you mean "${meant}"?`;
}
