/** Whether a preview may be built on its repository's target now. Pure. */

import { isSamePlace } from "../components/backing-port.ts";
import { canonical } from "../infra/canonical.ts";
import type { PreviewSpec } from "../infra/spec.ts";
import type { ApplicationConfig } from "./config/application-types.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import { misfitsOf } from "./config/target-fit.ts";
import type { OperatorConfig, TargetConfig } from "./config/types.ts";
import { blocked, type Verdict } from "./policy.ts";

export interface TargetQuestion {
  readonly key: string;
  readonly config: Pick<OperatorConfig, "targets" | "images">;
  readonly repository: RepositoryConfig;
  readonly application: ApplicationConfig;
  /** Spec that serves now. */
  readonly live: PreviewSpec | undefined;
}

/** The target, or why nothing is built: what serves goes on serving, and nothing is destroyed or moved. */
export function chooseTarget(question: TargetQuestion): TargetConfig | Extract<Verdict, { kind: "blocked" }> {
  const { config, repository, application, live, key } = question;
  const target = config.targets.find(({ name }) => name === repository.target);
  if (!target) return blocked("NotConfigured", missingWords(question));
  const moved = live && moveOf(live.target, target);
  if (moved) {
    return blocked(
      "TargetChanged",
      `It was built on the target "${live.target.name}" and the target "${target.name}" has another ${moved}; nothing is moved by itself. Undo the change in stackling.yaml, or make it anew, with a new database: \`stackling down '${key}'\`, then \`stackling redeploy '${key}'\`.`,
    );
  }
  const misfits = misfitsOf({ application, target, repository, images: config.images });
  if (misfits.length === 0) return target;
  const count = `${misfits.length} ${misfits.length === 1 ? "problem" : "problems"}`;
  return blocked("SpecInvalid", `preview.yaml does not fit the target "${target.name}": ${count}.`, {
    excerpt: misfits,
  });
}

function missingWords({ key, config, repository, live }: TargetQuestion): string {
  const known = config.targets.map(({ name }) => `"${name}"`).join(", ");
  const builtOn = live
    ? ` It serves from "${live.target.name}" until it is taken down (\`stackling down '${key}'\`).`
    : "";
  return `Its target "${repository.target}" is not in stackling.yaml, which has ${known}: name it there again, or choose one of these for "${repository.name}".${builtOn}`;
}

/**
 * What would move data or processes elsewhere, in words; undefined when the update stays where it is.
 * Pulumi would do it in one update: the database deleted with its data, and whatever its old place
 * refuses to delete left behind. Hosts and secrets hold nothing that is not made again.
 */
function moveOf(before: PreviewSpec["target"], target: TargetConfig): string | undefined {
  for (const port of ["service", "database"] as const) {
    const [was, is] = [before[port], target[port]];
    if (!was || !is) continue;
    if (was.driver !== is.driver) return `${port} driver ("${is.driver}", not "${was.driver}")`;
    const changed = target.places?.[port]?.find((name) => canonical(was.options[name]) !== canonical(is.options[name]));
    if (changed !== undefined) return `"${changed}" of its ${port} driver "${is.driver}"`;
  }
  // Its part of a shared server would go with all that lies in it.
  for (const [name, was] of Object.entries(before.backing ?? {})) {
    const is = target.backing?.[name];
    if (!is) continue;
    if (was.driver !== is.driver) return `driver of its backing "${name}" ("${is.driver}", not "${was.driver}")`;
    const places = target.places?.backing?.[name] ?? [];
    const changed = places.find((option) => !isSamePlace(was.options[option], is.options[option]));
    if (changed !== undefined) return `"${changed}" of its backing "${name}"`;
  }
  return undefined;
}
