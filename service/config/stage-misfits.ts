/** Whether the stages of a repository can be what `stackling.yaml` says of them. Pure. */
import { isStageName } from "../../infra/names.ts";
import { asStage } from "../stages/stage.ts";
import { type AccessAround, accessMisfits } from "./access-schema.ts";
import { type BannerAround, bannerMisfits } from "./banner.ts";
import type { StageConfig } from "./stages.ts";
import type { TargetConfig } from "./types.ts";
import type { Misfit } from "./yaml-file.ts";

interface Around {
  /** Of the repository that they are of, in the file. */
  readonly path: Misfit["path"];
  readonly repository: string;
  /** Those without faults of their own, */
  readonly targets: readonly Pick<TargetConfig, "name" | "runs">[];
  /** and the names of all. */
  readonly targetNames: readonly string[];
}

/** Names that cannot be, stages that would never be anything, and what does not fit their targets. */
export function stageMisfits({
  repositories,
  targets,
  targetNames,
  ...rest
}: AccessAround & BannerAround & Pick<Around, "targetNames">): readonly Misfit[] {
  const known = targets.flatMap(({ target }) => target ?? []);
  return repositories.flatMap((repository, index) => {
    const { stages = {}, path: shown } = repository;
    const path = ["repositories", index];
    const fits = Object.values(stages).flatMap((one) => {
      const around = { ...rest, targets, repositories: [asStage(repository, one)] };
      const found = [...accessMisfits(around), ...bannerMisfits(around)];
      return found.map(({ message }) => ({
        path: [...path, "stages", one.name],
        message: `stage "${one.name}": ${message}`,
      }));
    });
    return [...misfitsOf(stages, { path, repository: shown, targets: known, targetNames }), ...fits];
  });
}

function misfitsOf(
  stages: Readonly<Record<string, StageConfig>>,
  { path, repository, ...around }: Around,
): readonly Misfit[] {
  return Object.values(stages).flatMap((one) => {
    const at = (message: string, key?: string): Misfit => ({
      path: [...path, "stages", one.name, ...(key === undefined ? [] : [key])],
      message: `stage "${one.name}" of "${repository}": ${message}`,
    });
    return [
      ...(isStageName(one.name)
        ? []
        : [
            at(
              'its name must be lower-case letters and digits, a letter first, at most 20 characters, and neither "pr" nor "br", which begin the hosts of previews',
            ),
          ]),
      ...sourceFaults(one, stages).map(([message, key]) => at(message, key)),
      ...approvalFaults(one).map((message) => at(message, "approvals")),
      ...targetFaults(one, stages, around).map((message) => at(message, "target")),
    ];
  });
}

type Stages = Readonly<Record<string, StageConfig>>;

function sourceFaults(one: StageConfig, stages: Stages): readonly (readonly [message: string, key?: string])[] {
  const { branch, from } = one;
  if ((branch === undefined) === (from === undefined)) {
    return [['give it either a "branch" that it follows or a stage that it is promoted "from"']];
  }
  if (from === undefined) {
    const misplaced = one.approvals.required > 0 ? "approvals" : one.waitSeconds > 0 ? "wait" : undefined;
    return misplaced ? [[`"${misplaced}" is of promotions, and it follows a branch`, misplaced]] : [];
  }
  if (!Object.hasOwn(stages, from)) {
    const known = Object.keys(stages).filter((name) => name !== one.name);
    return [[`there is no stage "${from}"${known.length > 0 ? `; known: ${known.join(", ")}` : ""}`, "from"]];
  }
  return rootOf(one, stages) === undefined ? [["it is promoted from itself in the end", "from"]] : [];
}

/** The stage with a branch at the beginning of the way; undefined where that is a circle. */
function rootOf(one: StageConfig, stages: Stages): StageConfig | undefined {
  const seen = new Set<string>();
  let at: StageConfig | undefined = one;
  while (at?.from !== undefined && !seen.has(at.name)) {
    seen.add(at.name);
    at = Object.hasOwn(stages, at.from) ? stages[at.from] : undefined;
  }
  return at?.from === undefined ? at : undefined;
}

function approvalFaults({ approvals: { required, by } }: StageConfig): readonly string[] {
  const people = by && new Set(by.map((name) => name.toLowerCase()));
  if (!people || people.size >= required) return [];
  return [`"required" is ${required}, and "by" names ${people.size}`];
}

/** A digest can be taken over only where both run images. */
function targetFaults(
  { target, from }: StageConfig,
  stages: Stages,
  { targets, targetNames }: Pick<Around, "targets" | "targetNames">,
): readonly string[] {
  // Its repository's, which was not found either.
  if (target === "") return [];
  if (!targetNames.includes(target)) return [`there is no target "${target}"; known: ${targetNames.join(", ")}`];
  const named = targets.find(({ name }) => name === target);
  const before = from !== undefined && Object.hasOwn(stages, from) ? stages[from] : undefined;
  const other = before && targets.find(({ name }) => name === before.target);
  if (!named || !other || other.runs === named.runs) return [];
  return [
    `its target "${target}" runs ${wordFor(named)}, and "${other.name}" of the stage "${from}" runs ${wordFor(other)}: what is promoted must be what ran there; give both targets of one kind`,
  ];
}

function wordFor({ runs }: Pick<TargetConfig, "runs">): string {
  return runs === "images" ? "images" : "the source";
}
